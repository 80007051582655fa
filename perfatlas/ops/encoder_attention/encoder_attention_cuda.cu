// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/backends/cuda/cuda_units.h"
#include "perfatlas/ops/attention/attention_cuda_cudnn_unit.h"
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

class CudnnEncoder final : public PreparedKernel {
 public:
  CudnnEncoder(const EncoderAttention& op, CudaDevice& device)
      : attention_(cuda_unit<MakeCudnnAttention>(kCudnnUnit)(op.shape(), KeysLie::in_rows, device)) {}
  size_t workspace_bytes() const override { return attention_->workspace_bytes(); }
  void launch(Stream stream, std::span<void* const> operands, void* workspace) override {
    attention_->launch({.q = operands[EncoderAttention::q_at],
                        .k_cache = operands[EncoderAttention::k_at],
                        .v_cache = operands[EncoderAttention::v_at],
                        .out = operands[EncoderAttention::out_at],
                        .workspace = workspace},
                       stream);
  }

 private:
  std::unique_ptr<PagedAttention> attention_;
};

}  // namespace

void add_encoder_attention_cuda_kernels(KernelRegistry& registry) {
  registry.add(Kernel<EncoderAttention, CudaDevice>{
      "cudnn_attention", "cuda",
      [](const EncoderAttention& op, const CudaDevice& device) {
        return why_no_cudnn_attention(op.dtype, op.head_dim, device);
      },
      [](const EncoderAttention& op, CudaDevice& device) -> std::unique_ptr<PreparedKernel> {
        return std::make_unique<CudnnEncoder>(op, device);
      }});
  registry.add(Kernel<EncoderAttention, CudaDevice>{
      "reference", "cuda",
      [](const EncoderAttention& op, const CudaDevice&) { return why_not_wide(op.dtype); },
      [](const EncoderAttention& op, CudaDevice& device) {
        return with_wide_element(
            op.dtype, [&]<class T>(T) { return block_kernel_of(device.runtime(), EncoderRows<T>(op)); });
      }});
}

}  // namespace perfatlas
