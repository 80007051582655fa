// SPDX-License-Identifier: Apache-2.0
// Decode attention: every (sequence, key/value head) reads its pages once, with all its query heads. When there are
// few such pairs, their pages are split between threads and the partial results combined.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "perfatlas/ops/attention/attention_cpu_page.h"
#include "perfatlas/ops/attention/attention_cpu_softmax.h"

namespace perfatlas {
namespace {

template <class T>
class StreamingAttention final : public PreparedKernel {
 public:
  StreamingAttention(const AttentionShape& shape, int threads)
      : s_(shape),
        page_{shape.group(), shape.head_dim},
        threads_(threads),
        first_page_(shape.first_visible(shape.step) / kPageTokens) {
    // Four pieces per thread even out what pages at different distances cost.
    const int64_t wanted = (4 * threads + pairs() - 1) / pairs();
    splits_ = threads == 1 ? 1 : std::clamp<int64_t>(wanted, 1, s_.pages_per_sequence() - first_page_);
  }

  size_t workspace_bytes() const override {
    return size_t(threads_) * scratch_bytes() +
           (splits_ > 1 ? size_t(pairs() * splits_) * partial_bytes() : 0);
  }

  void launch(Stream, std::span<void* const> operands, void* workspace) override {
    const AttentionMemory<T> memory(operands);
    auto* scratch = static_cast<std::byte*>(workspace);
    std::byte* partials = scratch + size_t(threads_) * scratch_bytes();
#pragma omp parallel num_threads(threads_)
    {
      std::byte* own = scratch + size_t(omp_get_thread_num()) * scratch_bytes();
      std::byte* own_partial = own + scratch_bytes() - partial_bytes();
#pragma omp for schedule(dynamic, 1)
      for (int64_t piece = 0; piece < pairs() * splits_; ++piece) {
        const Partial result(splits_ > 1 ? partials + size_t(piece) * partial_bytes() : own_partial, page_);
        attend(memory, piece, result, own);
        if (splits_ == 1) write_out(memory, piece, result);
      }
      if (splits_ > 1) {
#pragma omp for
        for (int64_t pair = 0; pair < pairs(); ++pair) combine(memory, pair, partials);
      }
    }
  }

 private:
  /// The running softmax and sums of the query heads of one pair.
  struct Partial {
    Partial(std::byte* start, const PageShape& page)
        : sums(reinterpret_cast<float*>(start)),
          softmax(reinterpret_cast<SoftmaxRow*>(sums + page.heads * page.sum_stride())) {}
    float* sums;
    SoftmaxRow* softmax;
  };

  int64_t pairs() const { return s_.batch * s_.kv_heads; }
  size_t partial_bytes() const {
    const size_t bytes =
        size_t(page_.heads) * (size_t(page_.sum_stride()) * sizeof(float) + sizeof(SoftmaxRow));
    return (bytes + 63) / 64 * 64;
  }
  /// Scores, weights and one partial result.
  size_t scratch_bytes() const {
    return size_t(page_.heads * kPageTokens) * (sizeof(float) + sizeof(T)) + partial_bytes();
  }
  size_t query_row(int64_t pair) const {
    return size_t((pair / s_.kv_heads * s_.heads + pair % s_.kv_heads * s_.group()) * s_.head_dim);
  }

  void attend(const AttentionMemory<T>& memory, int64_t piece, const Partial& result, std::byte* scratch) {
    const int64_t pair = piece / splits_, split = piece % splits_;
    const int64_t sequence = pair / s_.kv_heads, kv_head = pair % s_.kv_heads;
    const int64_t pages = s_.pages_per_sequence() - first_page_;
    const int64_t begin = first_page_ + pages * split / splits_,
                  end = first_page_ + pages * (split + 1) / splits_;
    if (end == s_.pages_per_sequence()) write_new_tokens(s_, memory, sequence, kv_head);
    std::fill_n(result.sums, page_.heads * page_.sum_stride(), 0.0F);
    std::fill_n(result.softmax, page_.heads, SoftmaxRow{-std::numeric_limits<float>::infinity(), 0});
    for (int64_t page = begin; page < end; ++page) {
      const size_t at = page_offset(s_, memory, sequence, kv_head, page);
      if (page + 1 < end) prefetch(memory, page_offset(s_, memory, sequence, kv_head, page + 1));
      add_page(memory.q + query_row(pair), memory.k_cache + at, memory.v_cache + at, page, result, scratch);
    }
  }

  /// Pages lie scattered, so the hardware does not see the next one coming.
  void prefetch(const AttentionMemory<T>& memory, size_t at) const {
    const auto bytes = size_t(kPageTokens * s_.head_dim) * sizeof(T);
    for (const T* start : {memory.k_cache + at, memory.v_cache + at})
      for (size_t byte = 0; byte < bytes; byte += 64)
        __builtin_prefetch(reinterpret_cast<const std::byte*>(start) + byte, 0, 2);
  }

  void add_page(const T* q, const T* keys, const T* values, int64_t page, const Partial& result,
                std::byte* scratch) {
    auto* scores = reinterpret_cast<float*>(scratch);
    auto* weights = reinterpret_cast<T*>(scores + page_.heads * kPageTokens);
    page_scores(page_, q, keys, scores);
    ScoreBlock block{.columns = kPageTokens};
    block.scale = float(1.4426950408889634 / std::sqrt(double(s_.head_dim)));  // log2(e) / sqrt(head_dim)
    block.first = std::clamp<int64_t>(s_.first_visible(s_.step) - page * kPageTokens, 0, kPageTokens);
    block.last = std::clamp<int64_t>(s_.step + 1 - page * kPageTokens, 0, kPageTokens);
    for (int64_t head = 0; head < page_.heads; ++head) {
      const float shrink = softmax_block(scores + head * kPageTokens, block, weights + head * kPageTokens,
                                         result.softmax[head]);
      if (shrink != 1) scale_floats(result.sums + head * page_.sum_stride(), page_.sum_stride(), shrink);
    }
    add_page_values(page_, weights, values, result.sums);
  }

  void write_out(const AttentionMemory<T>& memory, int64_t pair, const Partial& result) {
    for (int64_t head = 0; head < page_.heads; ++head)
      store_sums(page_, result.sums + head * page_.sum_stride(), 1 / result.softmax[head].total,
                 memory.out + query_row(pair) + head * s_.head_dim);
  }

  /// Adds the other splits to the first one.
  void combine(const AttentionMemory<T>& memory, int64_t pair, std::byte* partials) {
    std::byte* start = partials + size_t(pair * splits_) * partial_bytes();
    const Partial first(start, page_);
    for (int64_t split = 1; split < splits_; ++split) {
      const Partial next(start + size_t(split) * partial_bytes(), page_);
      for (int64_t head = 0; head < page_.heads; ++head) {
        SoftmaxRow& sum = first.softmax[head];
        const float largest = std::max(sum.largest, next.softmax[head].largest);
        const float keep = std::exp2(sum.largest - largest),
                    take = std::exp2(next.softmax[head].largest - largest);
        sum = {largest, sum.total * keep + next.softmax[head].total * take};
        for (int64_t i = head * page_.sum_stride(); i < (head + 1) * page_.sum_stride(); ++i)
          first.sums[i] = first.sums[i] * keep + next.sums[i] * take;
      }
    }
    write_out(memory, pair, first);
  }

  AttentionShape s_;
  PageShape page_;
  int threads_;
  int64_t first_page_;
  int64_t splits_ = 1;
};

}  // namespace

std::unique_ptr<PreparedKernel> make_streaming_attention(const AttentionShape& shape, CpuDevice& device) {
  if (shape.dtype == DType::f32) return std::make_unique<StreamingAttention<float>>(shape, device.threads());
  return std::make_unique<StreamingAttention<Bf16>>(shape, device.threads());
}

}  // namespace perfatlas
