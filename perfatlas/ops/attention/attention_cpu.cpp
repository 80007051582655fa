// SPDX-License-Identifier: Apache-2.0
// Which CPU kernels there are, best first, and when they can run.
#include "perfatlas/ops/attention/attention_cpu.h"

#include <fmt/format.h>

#include "perfatlas/ops/attention/attention.h"

namespace perfatlas {
namespace {

template <class Op>
std::string why_not_blocked(const Op& op, const CpuDevice& device) {
  const std::string reason = why_no_cpu_types(op.shape());
  return reason.empty() ? why_no_avx512(op.dtype, device) : reason;
}

template <class Op>
std::string why_not_streaming(const Op& op, const CpuDevice& device) {
  const std::string reason = why_not_blocked(op, device);
  if (!reason.empty()) return reason;
  if (op.head_dim > 256) return fmt::format("head_dim {} is above 256", op.head_dim);
  return {};
}

template <class Op>
std::string why_not_tiled(const Op& op, const CpuDevice& device) {
  const std::string reason = why_not_streaming(op, device);
  if (!reason.empty()) return reason;
  if (op.dtype != DType::bf16) return fmt::format("AMX does not multiply {}", name_of(op.dtype));
  if (!device.isa().amx_bf16) return "this CPU has no AMX bf16 instructions";
  if (op.head_dim % 32 != 0) return fmt::format("head_dim {} is not a multiple of 32", op.head_dim);
  return {};
}

template <class Op>
std::string why_not_portable(const Op& op, const CpuDevice&) {
  return why_no_cpu_types(op.shape());
}

template <class Op, auto make>
std::unique_ptr<PreparedKernel> prepare(const Op& op, CpuDevice& device) {
  return make(op.shape(), device);
}

}  // namespace

std::string why_no_avx512(DType dtype, const CpuDevice& device) {
  if (!device.isa().avx512) return "this CPU has no AVX-512";
  if (dtype == DType::bf16 && !device.isa().avx512_bf16) return "this CPU has no AVX-512 bf16 instructions";
  return {};
}

std::string why_no_cpu_types(const AttentionShape& shape) {
  if (shape.dtype != DType::f32 && shape.dtype != DType::bf16)
    return fmt::format("no CPU kernel computes attention in {}: only in float32 and bfloat16",
                       name_of(shape.dtype));
  if (shape.kv_dtype != shape.dtype)
    return fmt::format("no CPU kernel reads a {} cache for {} attention", name_of(shape.kv_dtype),
                       name_of(shape.dtype));
  return {};
}

void add_attention_cpu_kernels(KernelRegistry& registry) {
  using Context = AttentionContext;
  using Generation = AttentionGeneration;
  registry.add(Kernel<Context, CpuDevice>{"onednn_matmul_online_softmax", "onednn", &why_not_blocked<Context>,
                                          &prepare<Context, make_blocked_attention>});
  registry.add(Kernel<Context, CpuDevice>{"perfatlas_portable_loop", "onednn", &why_not_portable<Context>,
                                          &prepare<Context, make_portable_attention>});
  registry.add(Kernel<Generation, CpuDevice>{"perfatlas_amx_split_kv", "onednn", &why_not_tiled<Generation>,
                                             &prepare<Generation, make_tiled_streaming_attention>});
  registry.add(Kernel<Generation, CpuDevice>{"perfatlas_avx512_split_kv", "onednn",
                                             &why_not_streaming<Generation>,
                                             &prepare<Generation, make_streaming_attention>});
  registry.add(Kernel<Generation, CpuDevice>{"onednn_matmul_online_softmax", "onednn",
                                             &why_not_blocked<Generation>,
                                             &prepare<Generation, make_blocked_attention>});
  registry.add(Kernel<Generation, CpuDevice>{"perfatlas_portable_loop", "onednn",
                                             &why_not_portable<Generation>,
                                             &prepare<Generation, make_portable_attention>});
}

}  // namespace perfatlas
