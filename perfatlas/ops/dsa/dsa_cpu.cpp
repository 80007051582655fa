// SPDX-License-Identifier: Apache-2.0
// Which CPU kernels sparse attention has, best first, and when they can run.
#include "perfatlas/ops/dsa/dsa_cpu.h"

#include <fmt/format.h>

#include "perfatlas/ops/dsa/dsa_cpu_module.h"

namespace perfatlas {
namespace {

std::string why_no_types(const DsaKernelCase& c) {
  if (c.dtype != DType::f32 && c.dtype != DType::bf16)
    return fmt::format("no CPU kernel computes sparse attention in {}: only in float32 and bfloat16",
                       name_of(c.dtype));
  if (c.kv_dtype != c.dtype)
    return fmt::format("no CPU kernel reads a {} cache for {} attention", name_of(c.kv_dtype),
                       name_of(c.dtype));
  return {};
}

template <class Op>
std::string why_not_portable(const Op& op, const CpuDevice&) {
  return why_no_types(op);
}

template <class Op>
std::string why_not_blocked(const Op& op, const CpuDevice& device) {
  const std::string reason = why_no_types(op);
  return reason.empty() ? why_no_avx512(op.dtype, device) : reason;
}

std::string why_not_gathered(const DsaAttention& op, const CpuDevice& device) {
  const std::string reason = why_not_blocked(op, device);
  if (!reason.empty()) return reason;
  const int64_t width = op.shape().geometry.latent();
  return width % 32 == 0 ? "" : fmt::format("kv_lora + rope of {} is not a multiple of 32", width);
}

std::string why_no_vector_topk(const DsaTopk&, const CpuDevice& device) {
  return device.isa().avx512 ? "" : "this CPU has no AVX-512";
}
std::string always(const DsaTopk&, const CpuDevice&) { return {}; }

template <class Op, auto make>
std::unique_ptr<PreparedKernel> prepare(const Op& op, CpuDevice& device) {
  return make(op, device);
}

template <class Op>
void add_block(KernelRegistry& registry) {
  registry.add(Kernel<Op, CpuDevice>{
      "composed_sparse_block", "onednn",
      [](const Op& op, const CpuDevice& device) { return why_no_dsa_block(op, Op::kIndexer, device); },
      [](const Op& op, CpuDevice& device) { return make_dsa_block(op, Op::kIndexer, device); }});
}

}  // namespace

void add_dsa_cpu_kernels(KernelRegistry& registry) {
  registry.add(Kernel<DsaMqaLogits, CpuDevice>{"onednn_matmul_weighted_relu", "onednn",
                                               &why_not_blocked<DsaMqaLogits>,
                                               &prepare<DsaMqaLogits, make_blocked_logits>});
  registry.add(Kernel<DsaMqaLogits, CpuDevice>{"perfatlas_portable_loop", "onednn",
                                               &why_not_portable<DsaMqaLogits>,
                                               &prepare<DsaMqaLogits, make_portable_logits>});
  registry.add(Kernel<DsaTopk, CpuDevice>{"perfatlas_avx512_radix_select", "onednn", &why_no_vector_topk,
                                          &prepare<DsaTopk, make_avx512_topk>});
  registry.add(Kernel<DsaTopk, CpuDevice>{"perfatlas_portable_radix_select", "onednn", &always,
                                          &prepare<DsaTopk, make_portable_topk>});
  registry.add(Kernel<DsaAttention, CpuDevice>{"onednn_matmul_gathered_softmax", "onednn", &why_not_gathered,
                                               &prepare<DsaAttention, make_gathered_attention>});
  registry.add(Kernel<DsaAttention, CpuDevice>{"perfatlas_portable_loop", "onednn",
                                               &why_not_portable<DsaAttention>,
                                               &prepare<DsaAttention, make_portable_dsa_attention>});
  add_block<DsaContextModule>(registry);
  add_block<DsaGenerationModule>(registry);
  add_block<DsaContextModuleSkipIndexer>(registry);
  add_block<DsaGenerationModuleSkipIndexer>(registry);
}

}  // namespace perfatlas
