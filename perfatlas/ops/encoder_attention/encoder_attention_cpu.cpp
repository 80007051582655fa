// SPDX-License-Identifier: Apache-2.0
// The blocked and the portable kernel of causal attention, on dense keys and values and without a mask.
#include "perfatlas/ops/attention/attention_cpu_blocked_kernel.h"
#include "perfatlas/ops/attention/attention_cpu_portable_kernel.h"
#include "perfatlas/ops/encoder_attention/encoder_attention.h"

namespace perfatlas {
namespace {

template <class T>
struct EncoderMemory : DenseAttentionMemory<T> {
  explicit EncoderMemory(std::span<void* const> operands)
      : DenseAttentionMemory<T>{static_cast<const T*>(operands[EncoderAttention::q_at]),
                                static_cast<const T*>(operands[EncoderAttention::k_at]),
                                static_cast<const T*>(operands[EncoderAttention::v_at]),
                                static_cast<T*>(operands[EncoderAttention::out_at])} {}
};

std::string why_not_portable(const EncoderAttention& op, const CpuDevice&) {
  return why_no_cpu_types(op.shape());
}

std::string why_not_blocked(const EncoderAttention& op, const CpuDevice& device) {
  const std::string reason = why_no_cpu_types(op.shape());
  return reason.empty() ? why_no_avx512(op.dtype, device) : reason;
}

std::unique_ptr<PreparedKernel> prepare_blocked(const EncoderAttention& op, CpuDevice& device) {
  if (op.dtype == DType::f32)
    return std::make_unique<BlockedAttention<EncoderMemory<float>>>(op.shape(), device);
  return std::make_unique<BlockedAttention<EncoderMemory<Bf16>>>(op.shape(), device);
}

std::unique_ptr<PreparedKernel> prepare_portable(const EncoderAttention& op, CpuDevice& device) {
  if (op.dtype == DType::f32)
    return std::make_unique<PortableAttention<EncoderMemory<float>>>(op.shape(), device.threads());
  return std::make_unique<PortableAttention<EncoderMemory<Bf16>>>(op.shape(), device.threads());
}

}  // namespace

void add_encoder_attention_cpu_kernels(KernelRegistry& registry) {
  using Encoder = Kernel<EncoderAttention, CpuDevice>;
  registry.add(Encoder{"onednn_matmul_online_softmax", "onednn", &why_not_blocked, &prepare_blocked});
  registry.add(Encoder{"perfatlas_portable_loop", "onednn", &why_not_portable, &prepare_portable});
}

}  // namespace perfatlas
