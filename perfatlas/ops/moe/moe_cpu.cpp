// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/moe/moe_cpu_experts.h"

namespace perfatlas {
namespace {

template <ExpertWeights weights>
constexpr Kernel<Moe, CpuDevice> experts_kernel(std::string_view name) {
  return {name, "onednn",
          [](const Moe& op, const CpuDevice& device) { return why_no_experts(op, device, weights); },
          [](const Moe& op, CpuDevice& device) { return make_experts(op, device, weights); }};
}

}  // namespace

void add_moe_cpu_kernels(KernelRegistry& registry) {
  registry.add(experts_kernel<ExpertWeights::packed>("onednn_matmul_packed_experts"));
  registry.add(experts_kernel<ExpertWeights::plain>("onednn_matmul_plain_experts"));
}

}  // namespace perfatlas
