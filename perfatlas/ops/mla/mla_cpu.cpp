// SPDX-License-Identifier: Apache-2.0
// Which CPU kernels there are, best first, and when they can run.
#include "perfatlas/ops/mla/mla_cpu.h"

#include "perfatlas/ops/attention/attention_cpu_blocked_kernel.h"
#include "perfatlas/ops/attention/attention_cpu_portable_kernel.h"

namespace perfatlas {
namespace {

template <class Op>
std::string why_not_portable(const Op& op, const CpuDevice&) {
  return why_no_cpu_types(op.shape());
}

template <class Op>
std::string why_not_matmuls(const Op& op, const CpuDevice& device) {
  const std::string reason = why_no_cpu_types(op.shape());
  return reason.empty() ? why_no_avx512(op.dtype, device) : reason;
}

std::unique_ptr<PreparedKernel> prepare_blocked(const MlaContext& op, CpuDevice& device) {
  if (op.dtype == DType::f32)
    return std::make_unique<BlockedAttention<MlaContextMemory<float>>>(op.shape(), device);
  return std::make_unique<BlockedAttention<MlaContextMemory<Bf16>>>(op.shape(), device);
}

std::unique_ptr<PreparedKernel> prepare_split(const MlaGeneration& op, CpuDevice& device) {
  return make_split_mla(op.shape(), device);
}

template <class Op, template <class> class Memory>
std::unique_ptr<PreparedKernel> prepare_portable(const Op& op, CpuDevice& device) {
  if (op.dtype == DType::f32)
    return std::make_unique<PortableAttention<Memory<float>>>(op.shape(), device.threads());
  return std::make_unique<PortableAttention<Memory<Bf16>>>(op.shape(), device.threads());
}

}  // namespace

void add_mla_cpu_kernels(KernelRegistry& registry) {
  using Context = Kernel<MlaContext, CpuDevice>;
  using Generation = Kernel<MlaGeneration, CpuDevice>;
  registry.add(
      Context{"onednn_matmul_online_softmax", "onednn", &why_not_matmuls<MlaContext>, &prepare_blocked});
  registry.add(Context{"perfatlas_portable_loop", "onednn", &why_not_portable<MlaContext>,
                       &prepare_portable<MlaContext, MlaContextMemory>});
  registry.add(
      Generation{"onednn_matmul_split_kv", "onednn", &why_not_matmuls<MlaGeneration>, &prepare_split});
  registry.add(Generation{"perfatlas_portable_loop", "onednn", &why_not_portable<MlaGeneration>,
                          &prepare_portable<MlaGeneration, MlaGenerationMemory>});
}

}  // namespace perfatlas
