// SPDX-License-Identifier: Apache-2.0
// FlashInfer's paged attention: its decode kernel (CUDA cores) and its FlashAttention-2 prefill kernel (tensor cores),
// which engines also use to decode groups of query heads. Sequences of equal length; pages of 64 tokens, head by head.
#pragma once

#include <flashinfer/math.cuh>
// Order matters: the others use math.cuh without including it.
#include <flashinfer/attention/decode.cuh>
#include <flashinfer/attention/default_decode_params.cuh>
#include <flashinfer/attention/default_prefill_params.cuh>
#include <flashinfer/attention/mask.cuh>
#include <flashinfer/attention/prefill.cuh>
#include <flashinfer/attention/variants.cuh>

#include "perfatlas/backends/cuda/flashinfer_prefill.cuh"
#include "perfatlas/ops/attention/attention_cuda_unit.h"

namespace perfatlas {

/// Which pages belong to which sequence, as FlashInfer wants it told: the page table of all sequences in a row.
class FlashInferPages {
 public:
  FlashInferPages(const AttentionShape& shape, Device& device)
      : bounds_(integers_on_device(device, equal_pieces(shape.batch, shape.pages_per_sequence()))),
        last_tokens_(integers_on_device(
            device, std::vector<int32_t>(size_t(shape.batch),
                                         int32_t((shape.context_tokens() - 1) % kPageTokens + 1)))) {}

  template <class KV>
  flashinfer::paged_kv_t<KV, int32_t> of(const AttentionShape& shape,
                                         const PagedAttentionBuffers& buffers) const {
    return {uint32_t(shape.kv_heads),
            uint32_t(kPageTokens),
            uint32_t(shape.head_dim),
            uint32_t(shape.batch),
            flashinfer::QKVLayout::kHND,
            static_cast<KV*>(buffers.k_cache),
            static_cast<KV*>(buffers.v_cache),
            buffers.page_table,
            static_cast<int32_t*>(bounds_.get()),
            static_cast<int32_t*>(last_tokens_.get())};
  }

 private:
  std::shared_ptr<void> bounds_, last_tokens_;
};

/// FlashInfer counts the visible tokens before a token's own; -1: all.
inline int32_t flashinfer_window(const AttentionShape& shape) {
  return shape.window > 0 ? int32_t(shape.window - 1) : -1;
}

/// Without masks, soft caps and ALiBi; a window costs a comparison, so only shapes that have one are compiled with it.
template <bool windowed>
using FlashInferVariant = flashinfer::DefaultAttention<false, windowed, false, false>;

template <class Q, class KV, uint32_t head_dim, bool windowed>
class FlashInferDecode final : public PagedAttention {
 public:
  FlashInferDecode(const AttentionShape& shape, Device& device)
      : shape_(shape), pages_(shape, device), tables_(device) {
    std::vector<int32_t> pages = equal_pieces(shape.batch, shape.pages_per_sequence());
    check_flashinfer("FlashInfer DecodePlan", [&] { return plan(pages.data(), device); });
    tables_.planned(device);
  }

  size_t workspace_bytes() const override { return workspace_bytes_; }

  void launch(const PagedAttentionBuffers& buffers, Stream stream) override {
    Params params(static_cast<Q*>(buffers.q), nullptr, pages_.template of<KV>(shape_, buffers),
                  static_cast<Q*>(buffers.out), nullptr, nullptr, uint32_t(shape_.heads),
                  int32_t(shape_.heads * shape_.head_dim), int32_t(shape_.head_dim),
                  flashinfer_window(shape_), 0, float(shape_.score_scale()), 1, 1);
    params.request_indices = tables_.at<int32_t>(plan_.request_indices_offset);
    params.kv_tile_indices = tables_.at<int32_t>(plan_.kv_tile_indices_offset);
    params.o_indptr = tables_.at<int32_t>(plan_.o_indptr_offset);
    params.kv_chunk_size_ptr = tables_.at<int32_t>(plan_.kv_chunk_size_ptr_offset);
    params.padded_batch_size = uint32_t(plan_.padded_batch_size);
    Q* partial = nullptr;
    float* scores = nullptr;
    if (plan_.split_kv) {
      partial = reinterpret_cast<Q*>(static_cast<char*>(buffers.workspace) + plan_.v_offset);
      scores = reinterpret_cast<float*>(static_cast<char*>(buffers.workspace) + plan_.s_offset);
    }
    check_flashinfer("FlashInfer decode", [&] {
      return flashinfer::BatchDecodeWithPagedKVCacheDispatched<head_dim, kNoRotation, Variant>(
          params, partial, scores, false, static_cast<cudaStream_t>(stream));
    });
  }

 private:
  using Params = flashinfer::BatchDecodeParams<Q, KV, Q, int32_t>;
  using Variant = FlashInferVariant<windowed>;
  static constexpr auto kNoRotation = flashinfer::PosEncodingMode::kNone;

  cudaError_t plan(int32_t* pages, Device& device) {
    const auto stream = static_cast<cudaStream_t>(device.stream());
    DISPATCH_GQA_GROUP_SIZE(uint32_t(shape_.group()), GROUP_SIZE, {
      const auto estimate =
          flashinfer::BatchDecodeWithPagedKVCacheWorkEstimationDispatched<GROUP_SIZE, head_dim, kNoRotation,
                                                                          Variant, Params>;
      size_t table_bytes = 0;
      const cudaError_t sized = flashinfer::DecodePlanWorkspaceSize<head_dim, kNoRotation, Variant, Params>(
          workspace_bytes_, table_bytes, pages, uint32_t(shape_.batch), uint32_t(shape_.heads),
          uint32_t(kPageTokens), false, stream, estimate);
      if (sized != cudaSuccess) return sized;
      // Only offsets are taken from the workspace, which is not allocated yet.
      return flashinfer::DecodePlan<head_dim, kNoRotation, Variant, Params>(
          tables_.device(), workspace_bytes_, tables_.device(), tables_.host(), kPlanTableBytes, plan_, pages,
          uint32_t(shape_.batch), uint32_t(shape_.heads), uint32_t(kPageTokens), false, stream, estimate);
    });
    return cudaSuccess;
  }

  AttentionShape shape_;
  FlashInferPages pages_;
  FlashInferTables tables_;
  flashinfer::DecodePlanInfo plan_;
  size_t workspace_bytes_ = 0;
};

template <class Q, class KV, uint32_t head_dim, bool windowed>
class FlashInferPrefill final : public PagedAttention {
 public:
  FlashInferPrefill(const AttentionShape& shape, Device& device)
      : shape_(shape),
        pages_(shape, device),
        plan_({.batch = shape.batch,
               .queries = shape.isl,
               .pieces = shape.pages_per_sequence(),
               .piece = kPageTokens,
               .heads = shape.heads,
               .kv_heads = shape.kv_heads,
               .key_dim = shape.head_dim,
               .value_dim = shape.head_dim,
               .window = flashinfer_window(shape),
               .query_bytes = sizeof(Q),
               .key_bytes = sizeof(KV)},
              device) {}

  size_t workspace_bytes() const override { return plan_.workspace_bytes(); }

  void launch(const PagedAttentionBuffers& buffers, Stream stream) override {
    flashinfer::BatchPrefillPagedParams<Q, KV, Q, int32_t> params;
    params.q = static_cast<Q*>(buffers.q);
    params.paged_kv = pages_.template of<KV>(shape_, buffers);
    params.o = static_cast<Q*>(buffers.out);
    params.group_size = flashinfer::uint_fastdiv(uint32_t(shape_.group()));
    params.num_qo_heads = uint32_t(shape_.heads);
    params.q_stride_n = int32_t(shape_.heads * shape_.head_dim);
    params.q_stride_h = int32_t(shape_.head_dim);
    params.sm_scale = float(shape_.score_scale());
    plan_.describe(params);
    const auto enqueue = [&](auto tile, Q* partial, float* scores) {
      return flashinfer::BatchPrefillWithPagedKVCacheDispatched<
          true, decltype(tile)::value, head_dim, head_dim, flashinfer::PosEncodingMode::kNone, false,
          flashinfer::MaskMode::kCausal, FlashInferVariant<windowed>>(params, partial, scores, false,
                                                                      static_cast<cudaStream_t>(stream));
    };
    check_flashinfer("FlashInfer prefill",
                     [&] { return plan_.launch<Q>(params, buffers.workspace, enqueue); });
  }

 private:
  AttentionShape shape_;
  FlashInferPages pages_;
  FlashInferPrefillPlan plan_;
};

/// The kernel compiled with or without a window, by the shape.
template <template <class, class, uint32_t, bool> class Attention, class Q, class KV, uint32_t head_dim>
std::unique_ptr<PagedAttention> make_paged_attention(const AttentionShape& shape, Device& device) {
  if (shape.window > 0) return std::make_unique<Attention<Q, KV, head_dim, true>>(shape, device);
  return std::make_unique<Attention<Q, KV, head_dim, false>>(shape, device);
}

template <class Q, class KV, uint32_t head_dim>
std::unique_ptr<PagedAttention> make_flashinfer_decode(const AttentionShape& shape, Device& device) {
  return make_paged_attention<FlashInferDecode, Q, KV, head_dim>(shape, device);
}

template <class Q, class KV, uint32_t head_dim>
std::unique_ptr<PagedAttention> make_flashinfer_prefill(const AttentionShape& shape, Device& device) {
  return make_paged_attention<FlashInferPrefill, Q, KV, head_dim>(shape, device);
}

}  // namespace perfatlas
