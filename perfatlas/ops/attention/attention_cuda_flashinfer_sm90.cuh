// SPDX-License-Identifier: Apache-2.0
// FlashInfer's FlashAttention-3 kernel for Hopper over a paged cache.
#pragma once

#include <flashinfer/math.cuh>
// Order matters: the others use math.cuh without including it.
#include <flashinfer/attention/hopper/default_params.cuh>
#include <flashinfer/attention/hopper/prefill_sm90.cuh>
#include <flashinfer/attention/hopper/variants.cuh>
#include <flashinfer/attention/mask.cuh>
#include <flashinfer/attention/scheduler.cuh>
#include <flashinfer/cutlass_utils.cuh>

#include "perfatlas/backends/cuda/flashinfer_plan.cuh"
#include "perfatlas/ops/attention/attention_cuda_unit.h"

namespace perfatlas {

template <class T, uint32_t head_dim, bool windowed>
class FlashInferPrefillSm90 final : public PagedAttention {
 public:
  FlashInferPrefillSm90(const AttentionShape& shape, Device& device) : shape_(shape), tables_(device) {
    check_flashinfer("FlashInfer PrefillSM90Plan", [&] { return plan(device); });
    tables_.planned(device);
  }

  size_t workspace_bytes() const override { return 0; }

  void launch(const PagedAttentionBuffers& buffers, Stream stream) override {
    Params params{};
    params.q_ptr = static_cast<Element*>(buffers.q);
    params.k_ptr = static_cast<Element*>(buffers.k_cache);
    params.v_ptr = static_cast<Element*>(buffers.v_cache);
    params.o_ptr = static_cast<Element*>(buffers.out);
    params.kv_indices = buffers.page_table;
    describe(params);
    if (plan_.same_schedule_for_all_heads)
      enqueue<true>(params, stream);
    else
      enqueue<false>(params, stream);
  }

 private:
  using Element = flashinfer::cutlass_dtype_t<T>;
  using Params = flashinfer::BatchPrefillPagedParams<Element, Element, Element, int32_t>;
  using Variant = flashinfer::DefaultAttention</*use_logits_soft_cap=*/false>;

  void describe(Params& params) const {
    params.q_stride_h = params.o_stride_h = shape_.head_dim;
    params.q_stride_n = params.o_stride_n = shape_.heads * shape_.head_dim;
    params.k_stride_n = params.v_stride_n = shape_.head_dim;
    params.k_stride_h = params.v_stride_h = kPageTokens * shape_.head_dim;
    params.k_page_stride = params.v_page_stride = shape_.kv_heads * kPageTokens * shape_.head_dim;
    params.nnz_qo = shape_.batch * shape_.isl;
    params.num_qo_heads = int(shape_.heads);
    params.num_kv_heads = int(shape_.kv_heads);
    params.group_size = int(shape_.group());
    params.page_size = int(kPageTokens);
    params.window_left = shape_.window > 0 ? int(shape_.window - 1) : -1;
    params.causal = true;
    params.additional_params.sm_scale = float(shape_.score_scale());
    params.qo_tile_indices = tables_.at<int32_t>(plan_.qo_tile_indices_offset);
    params.qo_indptr = tables_.at<int32_t>(plan_.qo_indptr_offset);
    params.kv_indptr = tables_.at<int32_t>(plan_.kv_indptr_offset);
    params.qo_lens = tables_.at<int32_t>(plan_.qo_len_offset);
    params.kv_lens = tables_.at<int32_t>(plan_.kv_len_offset);
    params.head_indices = tables_.at<int32_t>(plan_.head_indices_offset);
    params.work_indptr = tables_.at<int32_t>(plan_.work_indptr_offset);
    params.batch_indices = tables_.at<int32_t>(plan_.batch_indices_offset);
  }

  template <bool same_schedule>
  static void enqueue(Params& params, Stream stream) {
    check_flashinfer("FlashInfer prefill for SM 9.0", [&] {
      return flashinfer::BatchPrefillWithPagedKVCacheDispatched<
          head_dim, head_dim, flashinfer::MaskMode::kCausal, windowed, same_schedule, Variant>(
          params, false, static_cast<cudaStream_t>(stream));
    });
  }

  cudaError_t plan(Device& device) {
    std::vector<int32_t> queries = equal_pieces(shape_.batch, shape_.isl),
                         pages = equal_pieces(shape_.batch, shape_.pages_per_sequence()),
                         lengths(size_t(shape_.batch), int32_t(shape_.context_tokens()));
    const auto dim = uint32_t(shape_.head_dim);
    return flashinfer::PrefillSM90Plan<int32_t>(
        nullptr, 0, tables_.device(), tables_.host(), kPlanTableBytes, plan_, queries.data(), pages.data(),
        lengths.data(), uint32_t(shape_.batch * shape_.isl), uint32_t(shape_.batch), uint32_t(shape_.heads),
        uint32_t(shape_.kv_heads), dim, dim, uint32_t(kPageTokens), true, false, sizeof(T),
        static_cast<cudaStream_t>(device.stream()));
  }

  AttentionShape shape_;
  FlashInferTables tables_;
  flashinfer::PrefillPlanSM90Info plan_;
};

template <class T, uint32_t head_dim>
std::unique_ptr<PagedAttention> make_flashinfer_prefill_sm90(const AttentionShape& shape, Device& device) {
  if (shape.window > 0) return std::make_unique<FlashInferPrefillSm90<T, head_dim, true>>(shape, device);
  return std::make_unique<FlashInferPrefillSm90<T, head_dim, false>>(shape, device);
}

}  // namespace perfatlas
