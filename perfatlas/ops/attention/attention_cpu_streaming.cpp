// SPDX-License-Identifier: Apache-2.0
// Decode attention: every (sequence, key/value head) reads its pages once, with all its query heads. When there are
// few such pairs, their pages are split between threads and the partial results combined.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "perfatlas/ops/attention/attention_cpu_amx_page.h"
#include "perfatlas/ops/attention/attention_cpu_page.h"

namespace perfatlas {
namespace {

template <class Pages>
class StreamingAttention final : public PreparedKernel {
 public:
  using T = typename Pages::Element;

  StreamingAttention(const AttentionShape& shape, int threads)
      : s_(shape),
        pages_({shape.group(), shape.head_dim}),
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
      [[maybe_unused]] const typename Pages::Session session;
      std::byte* own = scratch + size_t(omp_get_thread_num()) * scratch_bytes();
      std::byte* own_partial = own + scratch_bytes() - partial_bytes();
#pragma omp for schedule(dynamic, 1)
      for (int64_t piece = 0; piece < pairs() * splits_; ++piece) {
        const RunningSums result =
            partial(splits_ > 1 ? partials + size_t(piece) * partial_bytes() : own_partial);
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
  RunningSums partial(std::byte* start) const {
    auto* sums = reinterpret_cast<float*>(start);
    return {sums, reinterpret_cast<SoftmaxRow*>(sums + pages_.sum_floats())};
  }
  int64_t pairs() const { return s_.batch * s_.kv_heads; }
  size_t partial_bytes() const {
    const size_t bytes = pages_.sum_floats() * sizeof(float) + size_t(s_.group()) * sizeof(SoftmaxRow);
    return (bytes + 63) / 64 * 64;
  }
  size_t scratch_bytes() const { return pages_.scratch_bytes() + partial_bytes(); }
  size_t query_row(int64_t pair) const {
    return size_t((pair / s_.kv_heads * s_.heads + pair % s_.kv_heads * s_.group()) * s_.head_dim);
  }

  void attend(const AttentionMemory<T>& memory, int64_t piece, const RunningSums& result,
              std::byte* scratch) {
    const int64_t pair = piece / splits_, split = piece % splits_;
    const int64_t sequence = pair / s_.kv_heads, kv_head = pair % s_.kv_heads;
    const int64_t pages = s_.pages_per_sequence() - first_page_;
    const int64_t begin = first_page_ + pages * split / splits_,
                  end = first_page_ + pages * (split + 1) / splits_;
    if (end == s_.pages_per_sequence()) write_new_tokens(s_, memory, sequence, kv_head);
    std::fill_n(result.sums, pages_.sum_floats(), 0.0F);
    std::fill_n(result.softmax, s_.group(), SoftmaxRow{-std::numeric_limits<float>::infinity(), 0});
    pages_.begin(memory.q + query_row(pair), scratch);
    for (int64_t page = begin; page < end; ++page) {
      const size_t at = page_offset(s_, memory, sequence, kv_head, page),
                   next = page_offset(s_, memory, sequence, kv_head, std::min(page + 1, end - 1));
      pages_.add_page({memory.k_cache + at, memory.v_cache + at, memory.k_cache + next, visible(page)},
                      result, scratch);
    }
  }

  ScoreBlock visible(int64_t page) const {
    const int64_t first = page * kPageTokens;
    return {.columns = kPageTokens,
            .first = std::clamp<int64_t>(s_.first_visible(s_.step) - first, 0, kPageTokens),
            .last = std::clamp<int64_t>(s_.step + 1 - first, 0, kPageTokens),
            .scale = float(1.4426950408889634 * s_.score_scale())};  // log2(e) / sqrt(head_dim)
  }

  void write_out(const AttentionMemory<T>& memory, int64_t pair, const RunningSums& result) {
    for (int64_t head = 0; head < s_.group(); ++head)
      pages_.store(result.sums, head, 1 / result.softmax[head].total,
                   memory.out + query_row(pair) + head * s_.head_dim);
  }

  /// Adds the other splits to the first one.
  void combine(const AttentionMemory<T>& memory, int64_t pair, std::byte* partials) {
    std::byte* start = partials + size_t(pair * splits_) * partial_bytes();
    const RunningSums first = partial(start);
    for (int64_t split = 1; split < splits_; ++split) {
      const RunningSums next = partial(start + size_t(split) * partial_bytes());
      for (int64_t head = 0; head < s_.group(); ++head) {
        SoftmaxRow &sum = first.softmax[head], &added = next.softmax[head];
        const float largest = std::max(sum.largest, added.largest);
        const float keep = std::exp2(sum.largest - largest), take = std::exp2(added.largest - largest);
        sum = {largest, sum.total * keep + added.total * take};
        pages_.scale(first.sums, head, keep);
        pages_.scale(next.sums, head, take);
      }
      for (size_t i = 0; i < pages_.sum_floats(); ++i) first.sums[i] += next.sums[i];
    }
    write_out(memory, pair, first);
  }

  AttentionShape s_;
  Pages pages_;
  int threads_;
  int64_t first_page_;
  int64_t splits_ = 1;
};

}  // namespace

std::unique_ptr<PreparedKernel> make_streaming_attention(const AttentionShape& shape, CpuDevice& device) {
  if (shape.dtype == DType::f32)
    return std::make_unique<StreamingAttention<Avx512Pages<float>>>(shape, device.threads());
  return std::make_unique<StreamingAttention<Avx512Pages<Bf16>>>(shape, device.threads());
}

std::unique_ptr<PreparedKernel> make_tiled_streaming_attention(const AttentionShape& shape,
                                                               CpuDevice& device) {
  return std::make_unique<StreamingAttention<AmxPages>>(shape, device.threads());
}

}  // namespace perfatlas
