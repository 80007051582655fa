// SPDX-License-Identifier: Apache-2.0
// FlashInfer's FlashAttention-3 kernel for Hopper over a paged cache.
#pragma once

#include "perfatlas/backends/cuda/flashinfer_sm90_plan.cuh"
// Order matters: see there.
#include "perfatlas/ops/attention/attention_cuda_unit.h"

namespace perfatlas {

template <class T, uint32_t head_dim, bool windowed>
class FlashInferPrefillSm90 final : public PagedAttention {
 public:
  FlashInferPrefillSm90(const AttentionShape& shape, Device& device)
      : shape_(shape),
        plan_({.batch = shape.batch,
               .queries = shape.isl,
               .keys = shape.context_tokens(),
               .piece = kPageTokens,
               .heads = shape.heads,
               .kv_heads = shape.kv_heads,
               .key_dim = shape.head_dim,
               .value_dim = shape.head_dim,
               .element_bytes = sizeof(T)},
              device) {}

  size_t workspace_bytes() const override { return 0; }

  void launch(const PagedAttentionBuffers& buffers, Stream stream) override {
    Params params{};
    params.q_ptr = static_cast<Element*>(buffers.q);
    params.k_ptr = static_cast<Element*>(buffers.k_cache);
    params.v_ptr = static_cast<Element*>(buffers.v_cache);
    params.o_ptr = static_cast<Element*>(buffers.out);
    params.kv_indices = buffers.page_table;
    params.q_stride_h = params.o_stride_h = shape_.head_dim;
    params.q_stride_n = params.o_stride_n = shape_.heads * shape_.head_dim;
    params.k_stride_n = params.v_stride_n = shape_.head_dim;
    params.k_stride_h = params.v_stride_h = kPageTokens * shape_.head_dim;
    params.k_page_stride = params.v_page_stride = shape_.kv_heads * kPageTokens * shape_.head_dim;
    params.page_size = int(kPageTokens);
    params.window_left = shape_.window > 0 ? int(shape_.window - 1) : -1;
    params.additional_params.sm_scale = float(shape_.score_scale());
    plan_.describe(params);
    plan_.launch([&](auto same) {
      return flashinfer::BatchPrefillWithPagedKVCacheDispatched<head_dim, head_dim,
                                                                flashinfer::MaskMode::kCausal, windowed,
                                                                decltype(same)::value, FlashInferSm90Variant>(
          params, false, static_cast<cudaStream_t>(stream));
    });
  }

 private:
  using Element = flashinfer::cutlass_dtype_t<T>;
  using Params = flashinfer::BatchPrefillPagedParams<Element, Element, Element, int32_t>;

  AttentionShape shape_;
  FlashInferSm90Plan plan_;
};

template <class T, uint32_t head_dim>
std::unique_ptr<PagedAttention> make_flashinfer_prefill_sm90(const AttentionShape& shape, Device& device) {
  if (shape.window > 0) return std::make_unique<FlashInferPrefillSm90<T, head_dim, true>>(shape, device);
  return std::make_unique<FlashInferPrefillSm90<T, head_dim, false>>(shape, device);
}

}  // namespace perfatlas
