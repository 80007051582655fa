// SPDX-License-Identifier: Apache-2.0
// FlashInfer's FlashAttention-3 kernel for Hopper over expanded heads: keys of 192 elements, values of 128, in order.
#pragma once

#include "perfatlas/backends/cuda/flashinfer_sm90_plan.cuh"
// Order matters: see there.
#include "perfatlas/ops/mla/mla_cuda_unit.h"
#include "perfatlas/ops/mla/mla_geometry.h"

namespace perfatlas {

template <class T>
class FlashInferMlaPrefillSm90 final : public MlaAttention {
 public:
  FlashInferMlaPrefillSm90(const AttentionShape& shape, Device& device)
      : shape_(shape),
        plan_({.batch = shape.batch,
               .queries = shape.isl,
               .keys = shape.context_tokens(),
               .heads = shape.heads,
               .kv_heads = shape.heads,
               .key_dim = kMlaKey,
               .value_dim = kMlaValue,
               .element_bytes = sizeof(T)},
              device) {}

  size_t workspace_bytes() const override { return 0; }

  void launch(const MlaBuffers& buffers, Stream stream) override {
    Params params{};
    params.q_ptr = static_cast<Element*>(buffers.q);
    params.k_ptr = static_cast<Element*>(buffers.k);
    params.v_ptr = static_cast<Element*>(buffers.v);
    params.o_ptr = static_cast<Element*>(buffers.out);
    params.q_stride_h = params.k_stride_h = kMlaKey;
    params.q_stride_n = params.k_stride_n = shape_.heads * kMlaKey;
    params.v_stride_h = params.o_stride_h = kMlaValue;
    params.v_stride_n = params.o_stride_n = shape_.heads * kMlaValue;
    params.nnz_kv = shape_.batch * shape_.context_tokens();
    params.window_left = -1;
    params.additional_params.sm_scale = float(shape_.score_scale());
    plan_.describe(params);
    plan_.launch([&](auto same) {
      return flashinfer::BatchPrefillWithRaggedKVCacheDispatched<
          kMlaKey, kMlaValue, flashinfer::MaskMode::kCausal, /*LEFT_SLIDING_WINDOW=*/false,
          decltype(same)::value, FlashInferSm90Variant>(params, false, static_cast<cudaStream_t>(stream));
    });
  }

 private:
  using Element = flashinfer::cutlass_dtype_t<T>;
  using Params = flashinfer::BatchPrefillRaggedParams<Element, Element, Element, int32_t>;

  AttentionShape shape_;
  FlashInferSm90Plan plan_;
};

template <class T>
std::unique_ptr<MlaAttention> make_flashinfer_mla_prefill_sm90(const AttentionShape& shape, Device& device) {
  return std::make_unique<FlashInferMlaPrefillSm90<T>>(shape, device);
}

}  // namespace perfatlas
