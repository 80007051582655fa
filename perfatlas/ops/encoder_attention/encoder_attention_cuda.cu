// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/ops/attention/attention_cuda_rows.cuh"
#include "perfatlas/ops/encoder_attention/encoder_attention.h"

namespace perfatlas {
namespace {

template <class T>
struct EncoderRows : AttentionRowsBody<T, DenseRows<T>, DenseRows<T>> {
  explicit EncoderRows(const EncoderAttention& op)
      : AttentionRowsBody<T, DenseRows<T>, DenseRows<T>>(op.shape()) {
    this->keys = this->values = {nullptr, op.isl, op.heads, op.head_dim};
  }
  void bind(std::span<void* const> operands, void*) {
    this->q = static_cast<const T*>(operands[EncoderAttention::q_at]);
    this->keys.rows = static_cast<const T*>(operands[EncoderAttention::k_at]);
    this->values.rows = static_cast<const T*>(operands[EncoderAttention::v_at]);
    this->out = static_cast<T*>(operands[EncoderAttention::out_at]);
  }
};

}  // namespace

void add_encoder_attention_cuda_kernels(KernelRegistry& registry) {
  registry.add(Kernel<EncoderAttention, CudaDevice>{
      "reference", "cuda",
      [](const EncoderAttention& op, const CudaDevice&) { return why_not_wide(op.dtype); },
      [](const EncoderAttention& op, CudaDevice& device) {
        return with_wide_element(
            op.dtype, [&]<class T>(T) { return block_kernel_of(device.runtime(), EncoderRows<T>(op)); });
      }});
}

}  // namespace perfatlas
