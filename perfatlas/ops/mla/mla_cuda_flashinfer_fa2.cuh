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

#include "perfatlas/ops/mla/mla_cuda_flashinfer_decode.cuh"

namespace perfatlas {

struct MlaDecodeKernel {
  template <class Params>
  static cudaError_t enqueue(const Params& params, uint32_t x, uint32_t y, cudaStream_t stream) {
    return flashinfer::mla::BatchMLAPagedAttention<flashinfer::MaskMode::kCausal, kMlaLatent, kMlaRope>(
        params, x, y, stream);
  }
};

template <class T>
std::unique_ptr<MlaAttention> make_flashinfer_mla_decode(const AttentionShape& shape, Device& device) {
  return std::make_unique<FlashInferMla<MlaDecodeKernel, T>>(shape, device);
}

/// Keys of 192 elements, values of 128, in order.
template <class T>
class FlashInferMlaPrefill final : public MlaAttention {
 public:
  FlashInferMlaPrefill(const AttentionShape& shape, Device& device)
      : shape_(shape),
        tables_(device),
        query_bounds_(integers_on_device(device, equal_pieces(shape.batch, shape.isl))),
        key_bounds_(integers_on_device(device, equal_pieces(shape.batch, shape.context_tokens()))) {
    check_flashinfer("FlashInfer PrefillPlan", [&] { return plan(device); });
    tables_.planned(device);
  }

  size_t workspace_bytes() const override { return workspace_bytes_; }

  void launch(const MlaBuffers& buffers, Stream stream) override {
    Params params;
    params.q = static_cast<T*>(buffers.q);
    params.k = static_cast<T*>(buffers.k);
    params.v = static_cast<T*>(buffers.v);
    params.o = static_cast<T*>(buffers.out);
    describe(params);
    T* partial = nullptr;
    float* scores = nullptr;
    if (plan_.split_kv) {
      params.merge_indptr = tables_.at<int32_t>(plan_.merge_indptr_offset);
      partial = reinterpret_cast<T*>(static_cast<char*>(buffers.workspace) + plan_.v_offset);
      scores = reinterpret_cast<float*>(static_cast<char*>(buffers.workspace) + plan_.s_offset);
    }
    check_flashinfer("FlashInfer MLA prefill",
                     [&] { return enqueue(params, partial, scores, static_cast<cudaStream_t>(stream)); });
  }

 private:
  using Params = flashinfer::BatchPrefillRaggedParams<T, T, T, int32_t>;

  void describe(Params& params) const {
    params.q_indptr = static_cast<int32_t*>(query_bounds_.get());
    params.kv_indptr = static_cast<int32_t*>(key_bounds_.get());
    params.group_size = flashinfer::uint_fastdiv(1);
    params.num_qo_heads = params.num_kv_heads = uint32_t(shape_.heads);
    params.q_stride_h = params.k_stride_h = uint32_t(kMlaKey);
    params.q_stride_n = params.k_stride_n = uint32_t(shape_.heads * kMlaKey);
    params.v_stride_h = uint32_t(kMlaValue);
    params.v_stride_n = uint32_t(shape_.heads * kMlaValue);
    params.window_left = -1;
    params.sm_scale = float(shape_.score_scale());
    params.request_indices = tables_.at<int32_t>(plan_.request_indices_offset);
    params.qo_tile_indices = tables_.at<int32_t>(plan_.qo_tile_indices_offset);
    params.kv_tile_indices = tables_.at<int32_t>(plan_.kv_tile_indices_offset);
    params.o_indptr = tables_.at<int32_t>(plan_.o_indptr_offset);
    params.kv_chunk_size_ptr = tables_.at<int32_t>(plan_.kv_chunk_size_ptr_offset);
    params.padded_batch_size = uint32_t(plan_.padded_batch_size);
    params.max_total_num_rows = uint32_t(plan_.total_num_rows);
  }

  template <uint32_t rows>
  static cudaError_t enqueue_tile(const Params& params, T* partial, float* scores, cudaStream_t stream) {
    return flashinfer::BatchPrefillWithRaggedKVCacheDispatched<
        rows, kMlaKey, kMlaValue, flashinfer::PosEncodingMode::kNone, false, flashinfer::MaskMode::kCausal,
        flashinfer::DefaultAttention<false, false, false, false>>(params, partial, scores, false, stream);
  }

  cudaError_t enqueue(const Params& params, T* partial, float* scores, cudaStream_t stream) const {
    switch (plan_.cta_tile_q) {  // the three that the planner chooses from for these head sizes
      case 16:
        return enqueue_tile<16>(params, partial, scores, stream);
      case 64:
        return enqueue_tile<64>(params, partial, scores, stream);
      case 128:
        return enqueue_tile<128>(params, partial, scores, stream);
      default:
        return cudaErrorNotSupported;
    }
  }

  cudaError_t plan(Device& device) {
    std::vector<int32_t> queries = equal_pieces(shape_.batch, shape_.isl),
                         keys = equal_pieces(shape_.batch, shape_.context_tokens());
    const auto stream = static_cast<cudaStream_t>(device.stream());
    const auto rows = uint32_t(shape_.batch * shape_.isl), heads = uint32_t(shape_.heads);
    size_t table_bytes = 0;
    const cudaError_t sized = flashinfer::PrefillPlanWorkspaceSize<int32_t>(
        workspace_bytes_, table_bytes, queries.data(), keys.data(), rows, uint32_t(shape_.batch), heads,
        heads, kMlaKey, kMlaValue, 1, false, sizeof(T), -1, -1, false, 0, 0, stream, sizeof(T));
    if (sized != cudaSuccess) return sized;
    return flashinfer::PrefillPlan<int32_t>(
        tables_.device(), workspace_bytes_, tables_.device(), tables_.host(), kPlanTableBytes, plan_,
        queries.data(), keys.data(), rows, uint32_t(shape_.batch), heads, heads, kMlaKey, kMlaValue, 1, false,
        sizeof(T), -1, -1, false, 0, 0, stream, sizeof(T));
  }

  AttentionShape shape_;
  FlashInferTables tables_;
  std::shared_ptr<void> query_bounds_, key_bounds_;
  flashinfer::PrefillPlanInfo plan_;
  size_t workspace_bytes_ = 0;
};

template <class T>
std::unique_ptr<MlaAttention> make_flashinfer_mla_prefill(const AttentionShape& shape, Device& device) {
  return std::make_unique<FlashInferMlaPrefill<T>>(shape, device);
}

}  // namespace perfatlas
