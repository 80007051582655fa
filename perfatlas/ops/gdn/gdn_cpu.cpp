// SPDX-License-Identifier: Apache-2.0
// Which CPU kernels there are, best first, and when they can run.
#include "perfatlas/ops/gdn/gdn_cpu.h"

#include <fmt/format.h>

#include "perfatlas/ops/mamba2/causal_conv_cpu.h"

namespace perfatlas {
namespace {

bool is_conv(const Gdn& op) {
  return op.kernel.text() == Gdn::kConvFn || op.kernel.text() == Gdn::kConvUpdate;
}
bool is_rule(const Gdn& op) {
  return op.kernel.text() == Gdn::kChunkRule || op.kernel.text() == Gdn::kRecurrentRule;
}

std::string why_no_vectors(const CpuDevice& device) {
  if (!device.isa().avx512) return "this CPU has no AVX-512";
  return device.isa().avx512_bf16 ? "" : "this CPU has no AVX-512 bf16 instructions";
}

std::string why_other(const Gdn& op, std::string_view what) {
  if (!is_conv(op) && !is_rule(op))
    return fmt::format("no CPU kernel for the sub-kernel {}", op.kernel.text());
  return fmt::format("it computes {}, not {}", what, op.kernel.text());
}

std::string why_no_portable_conv(const Gdn& op, const CpuDevice&) {
  return is_conv(op) ? why_no_conv(op.conv_shape()) : why_other(op, "convolutions");
}
std::string why_no_vector_conv(const Gdn& op, const CpuDevice& device) {
  const std::string reason = why_no_portable_conv(op, device);
  return reason.empty() ? why_no_vectors(device) : reason;
}
std::string why_no_portable_rule(const Gdn& op, const CpuDevice&) {
  return is_rule(op) ? "" : why_other(op, "delta rules");
}
std::string why_no_vector_rule(const Gdn& op, const CpuDevice& device) {
  const std::string reason = why_no_portable_rule(op, device);
  return reason.empty() ? why_no_vectors(device) : reason;
}
std::string why_no_chunks(const Gdn& op, const CpuDevice& device) {
  if (op.kernel.text() != Gdn::kChunkRule) return why_other(op, "delta rules of prompts");
  if (op.seq < 2) return "a prompt of one token has nothing to multiply";
  return why_no_vectors(device);
}

template <auto make>
std::unique_ptr<PreparedKernel> prepare_conv(const Gdn& op, CpuDevice& device) {
  return make(op.conv_shape(), device);
}

}  // namespace

void add_gdn_cpu_kernels(KernelRegistry& registry) {
  using Entry = Kernel<Gdn, CpuDevice>;
  registry.add(Entry{"onednn_matmul_chunk_rule", "onednn", &why_no_chunks, &make_chunked_gdn});
  registry.add(Entry{"perfatlas_avx512_recurrence", "onednn", &why_no_vector_rule, &make_vector_gdn});
  registry.add(
      Entry{"perfatlas_avx512_conv", "onednn", &why_no_vector_conv, &prepare_conv<make_vector_conv>});
  registry.add(Entry{"perfatlas_portable_recurrence", "onednn", &why_no_portable_rule, &make_portable_gdn});
  registry.add(
      Entry{"perfatlas_portable_conv", "onednn", &why_no_portable_conv, &prepare_conv<make_portable_conv>});
}

}  // namespace perfatlas
