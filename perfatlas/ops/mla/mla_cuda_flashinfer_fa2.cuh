// SPDX-License-Identifier: Apache-2.0
// FlashInfer's latent attention for every part from 8.0 on: absorbed decode and prefill of expanded heads.
#pragma once

#include <flashinfer/math.cuh>
// Order matters: the others use math.cuh without including it.
#include <flashinfer/attention/default_prefill_params.cuh>
#include <flashinfer/attention/mask.cuh>
#include <flashinfer/attention/mla.cuh>
#include <flashinfer/attention/prefill.cuh>
#include <flashinfer/attention/variants.cuh>

#include "perfatlas/backends/cuda/flashinfer_prefill.cuh"
#include "perfatlas/ops/mla/mla_cuda_flashinfer_decode.cuh"

namespace perfatlas {

struct MlaDecodeKernel {
  template <class Params>
  static cudaError_t enqueue(const Params& params, uint32_t x, uint32_t y, cudaStream_t stream) {
    return flashinfer::mla::BatchMLAPagedAttention<flashinfer::MaskMode::kCausal, kMlaLatent, kMlaRope>(
        params, x, y, stream);
  }
};

template <class T, class KV>
std::unique_ptr<MlaAttention> make_flashinfer_mla_decode(const MlaRequests& requests, Device& device) {
  return std::make_unique<FlashInferMla<MlaDecodeKernel, T, KV>>(requests, device);
}

/// Keys of 192 elements, values of 128, in order.
template <class T>
class FlashInferMlaPrefill final : public MlaAttention {
 public:
  FlashInferMlaPrefill(const AttentionShape& shape, Device& device)
      : shape_(shape),
        key_bounds_(integers_on_device(device, equal_pieces(shape.batch, shape.context_tokens()))),
        plan_({.batch = shape.batch,
               .queries = shape.isl,
               .pieces = shape.context_tokens(),
               .heads = shape.heads,
               .kv_heads = shape.heads,
               .key_dim = kMlaKey,
               .value_dim = kMlaValue,
               .query_bytes = sizeof(T),
               .key_bytes = sizeof(T)},
              device) {}

  size_t workspace_bytes() const override { return plan_.workspace_bytes(); }

  void launch(const MlaBuffers& buffers, Stream stream) override {
    flashinfer::BatchPrefillRaggedParams<T, T, T, int32_t> params;
    params.q = static_cast<T*>(buffers.q);
    params.k = static_cast<T*>(buffers.k);
    params.v = static_cast<T*>(buffers.v);
    params.o = static_cast<T*>(buffers.out);
    params.kv_indptr = static_cast<int32_t*>(key_bounds_.get());
    params.group_size = flashinfer::uint_fastdiv(1);
    params.num_qo_heads = params.num_kv_heads = uint32_t(shape_.heads);
    params.q_stride_h = params.k_stride_h = uint32_t(kMlaKey);
    params.q_stride_n = params.k_stride_n = uint32_t(shape_.heads * kMlaKey);
    params.v_stride_h = uint32_t(kMlaValue);
    params.v_stride_n = uint32_t(shape_.heads * kMlaValue);
    params.sm_scale = float(shape_.score_scale());
    plan_.describe(params);
    const auto enqueue = [&](auto tile, T* partial, float* scores) {
      return flashinfer::BatchPrefillWithRaggedKVCacheDispatched<
          decltype(tile)::value, kMlaKey, kMlaValue, flashinfer::PosEncodingMode::kNone, false,
          flashinfer::MaskMode::kCausal, flashinfer::DefaultAttention<false, false, false, false>>(
          params, partial, scores, false, static_cast<cudaStream_t>(stream));
    };
    check_flashinfer("FlashInfer MLA prefill",
                     [&] { return plan_.launch<T>(params, buffers.workspace, enqueue); });
  }

 private:
  AttentionShape shape_;
  std::shared_ptr<void> key_bounds_;
  FlashInferPrefillPlan plan_;
};

template <class T>
std::unique_ptr<MlaAttention> make_flashinfer_mla_prefill(const AttentionShape& shape, Device& device) {
  return std::make_unique<FlashInferMlaPrefill<T>>(shape, device);
}

}  // namespace perfatlas
