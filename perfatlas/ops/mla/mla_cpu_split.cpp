// SPDX-License-Identifier: Apache-2.0
// Absorbed decode attention. Keys are multiplied as they lie in the cache, being the left operand of
// scores^T[token, head] = keys q^T, so that only the queries are packed, once per sequence; values are packed page by
// page, which takes one pass over rows that the scores have just brought into the cache. The pages of a sequence are
// split between threads when there are few sequences, and the partial results combined.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "perfatlas/ops/attention/attention_cpu_blocked.h"
#include "perfatlas/ops/attention/attention_cpu_matmuls.h"
#include "perfatlas/ops/attention/attention_cpu_softmax.h"
#include "perfatlas/ops/attention/attention_cpu_transpose.h"
#include "perfatlas/ops/mla/mla_cpu.h"

namespace perfatlas {
namespace {

/// Pages whose values are multiplied at once: packed values, scores and sums stay in a 2 MB second-level cache.
constexpr int64_t kBlockPages = 4;
constexpr int64_t kBlockTokens = kBlockPages * kPageTokens;

/// The running result of some pages of one sequence.
struct Partial {
  float* sums;  // [value block][heads, 64]
  SoftmaxRow* softmax;
};

/// What one thread works in.
template <class T>
struct SplitBench {
  SplitBench(void* start, const PackedSizes<T>& sizes, int64_t heads, size_t scratchpad_bytes) {
    const int64_t rows = (heads + 15) / 16 * 16;
    WorkspaceCutter cut(start);
    q = cut.take<T>(size_t((heads + kPackedColumns - 1) / kPackedColumns) * sizes.key_page(1));
    by_token = cut.take<float>(size_t(kPageTokens * rows));
    scores = cut.take<float>(size_t(rows * kBlockTokens));
    weights = cut.take<T>(size_t(heads * kBlockTokens));
    values = cut.take<T>(sizes.value_elements());
    scratchpad = cut.take<std::byte>(scratchpad_bytes);
    bytes = (cut.used() + 4095) / 4096 * 4096;
  }

  T* q;             // packed
  float* by_token;  // scores of one page [64, rows]
  float* scores;    // of one block [rows, columns]
  T* weights;       // [heads, columns]
  T* values;        // packed
  std::byte* scratchpad;
  size_t bytes;
};

template <class T>
class SplitMla final : public PreparedKernel {
 public:
  SplitMla(const AttentionShape& shape, CpuDevice& device)
      : s_(shape),
        threads_(device.threads()),
        sizes_{shape.head_dim, shape.value_width(), kBlockTokens},
        matmuls_(shape.dtype, threads_, device.onednn()) {
    // Four pieces per thread even out what pages at different distances cost.
    const int64_t wanted = (4 * threads_ + s_.batch - 1) / s_.batch;
    splits_ = threads_ == 1 ? 1 : std::clamp<int64_t>(wanted, 1, s_.pages_per_sequence());
    matmuls_.add(score_size());
    for (int64_t split = 0; split < splits_; ++split) {
      const PageRange pages = pages_of(split);
      add_value_sizes(std::min(pages.end - pages.begin, kBlockPages));
      if (const int64_t rest = (pages.end - pages.begin) % kBlockPages; rest > 0) add_value_sizes(rest);
    }
  }

  size_t workspace_bytes() const override {
    return size_t(threads_) * bench(nullptr).bytes + size_t(s_.batch * splits_) * partial_bytes();
  }

  void launch(Stream, std::span<void* const> operands, void* workspace) override {
    const MlaGenerationMemory<T> memory(operands);
    std::byte* partials = static_cast<std::byte*>(workspace) + size_t(threads_) * bench(nullptr).bytes;
#pragma omp parallel num_threads(threads_)
    {
      const int thread = omp_get_thread_num();
      const SplitBench<T> own =
          bench(static_cast<std::byte*>(workspace) + size_t(thread) * bench(nullptr).bytes);
#pragma omp for schedule(dynamic, 1)
      for (int64_t piece = 0; piece < s_.batch * splits_; ++piece) {
        const Partial result = partial(partials, piece);
        attend(memory, piece, thread, own, result);
        if (splits_ == 1) write_out(memory, piece, result);
      }
      if (splits_ > 1) {
#pragma omp for collapse(2)
        for (int64_t sequence = 0; sequence < s_.batch; ++sequence)
          for (int64_t head = 0; head < s_.heads; ++head) combine(memory, sequence, head, partials);
      }
    }
    matmuls_.throw_if_refused();
  }

 private:
  SplitBench<T> bench(void* start) const { return {start, sizes_, s_.heads, matmuls_.scratchpad_bytes()}; }
  int64_t score_rows() const { return (s_.heads + 15) / 16 * 16; }
  MatmulSize score_size() const { return {kPageTokens, sizes_.key_depth(), score_rows(), false}; }
  MatmulSize value_size(int64_t pages) const { return {s_.heads, pages * kPageTokens, kPackedColumns, true}; }
  void add_value_sizes(int64_t pages) {
    if (pages > 0) matmuls_.add(value_size(pages));
  }

  PageRange pages_of(int64_t split) const {
    const int64_t pages = s_.pages_per_sequence();
    return {pages * split / splits_, pages * (split + 1) / splits_};
  }
  size_t sum_floats() const { return size_t(sizes_.value_blocks() * s_.heads * kPackedColumns); }
  size_t partial_bytes() const {
    return sum_floats() * sizeof(float) + (size_t(s_.heads) * sizeof(SoftmaxRow) + 63) / 64 * 64;
  }
  Partial partial(std::byte* partials, int64_t piece) const {
    auto* sums = reinterpret_cast<float*>(partials + size_t(piece) * partial_bytes());
    return {sums, reinterpret_cast<SoftmaxRow*>(sums + sum_floats())};
  }

  void attend(const MlaGenerationMemory<T>& memory, int64_t piece, int thread, const SplitBench<T>& bench,
              const Partial& result) {
    const int64_t sequence = piece / splits_;
    const PageRange pages = pages_of(piece % splits_);
    if (pages.end == s_.pages_per_sequence()) memory.write_new_tokens(s_, sequence, 0);
    std::fill_n(result.sums, sum_floats(), 0.0F);
    std::fill_n(result.softmax, s_.heads, SoftmaxRow{-std::numeric_limits<float>::infinity(), 0});
    for (int64_t head = 0; head < s_.heads; head += kPackedColumns)
      pack_key_page(sizes_, KvRows<T>{memory.q + (sequence * s_.heads + head) * s_.head_dim, s_.head_dim},
                    std::min(s_.heads - head, kPackedColumns),
                    bench.q + sizes_.key_page(head / kPackedColumns));
    for (int64_t page = pages.begin; page < pages.end; page += kBlockPages)
      add_block(memory, sequence, {page, std::min(page + kBlockPages, pages.end)}, thread, bench, result);
  }

  void add_block(const MlaGenerationMemory<T>& memory, int64_t sequence, const PageRange& pages, int thread,
                 const SplitBench<T>& bench, const Partial& result) {
    const int64_t count = pages.end - pages.begin, columns = count * kPageTokens;
    for (int64_t at = 0; at < count; ++at) {
      const KvRows<T> rows = memory.keys(s_, sequence, 0, pages.begin + at);
      const int64_t filled = std::min(s_.context_tokens() - (pages.begin + at) * kPageTokens, kPageTokens);
      matmuls_.run(score_size(), thread, {rows.at, bench.q, bench.by_token, bench.scratchpad});
      for (int64_t head = 0; head < score_rows(); head += 16)
        for (int64_t token = 0; token < kPageTokens; token += 16)
          transpose_words(bench.by_token + token * score_rows() + head, score_rows() * 4,
                          bench.scores + head * columns + at * kPageTokens + token, columns * 4);
      pack_value_page(sizes_, rows, filled, at, bench.values);
    }
    ScoreBlock block{.columns = columns,
                     .scale = float(1.4426950408889634 * s_.score_scale())};  // times log2(e)
    block.last = std::min(s_.context_tokens() - pages.begin * kPageTokens, columns);
    for (int64_t head = 0; head < s_.heads; ++head) {
      SoftmaxRow& row = result.softmax[head];
      const bool empty = row.total == 0;
      const float shrink =
          softmax_block(bench.scores + head * columns, block, bench.weights + head * columns, row);
      if (shrink != 1 && !empty) scale_row(result.sums, head, shrink);
    }
    for (int64_t value = 0; value < sizes_.value_blocks(); ++value)
      matmuls_.run(value_size(count), thread,
                   {bench.weights, bench.values + sizes_.value_page(value, 0), sum_row(result.sums, 0, value),
                    bench.scratchpad});
  }

  float* sum_row(float* sums, int64_t head, int64_t value) const {
    return sums + (value * s_.heads + head) * kPackedColumns;
  }
  void scale_row(float* sums, int64_t head, float factor) const {
    for (int64_t value = 0; value < sizes_.value_blocks(); ++value)
      scale_floats(sum_row(sums, head, value), kPackedColumns, factor);
  }
  void write_row(const MlaGenerationMemory<T>& memory, int64_t sequence, int64_t head,
                 const Partial& result) {
    T* to = memory.out + (sequence * s_.heads + head) * s_.value_width();
    for (int64_t value = 0; value < sizes_.value_blocks(); ++value)
      store_scaled(sum_row(result.sums, head, value), kPackedColumns, 1 / result.softmax[head].total,
                   to + value * kPackedColumns);
  }
  void write_out(const MlaGenerationMemory<T>& memory, int64_t sequence, const Partial& result) {
    for (int64_t head = 0; head < s_.heads; ++head) write_row(memory, sequence, head, result);
  }

  /// Adds the other splits of one head to the first one.
  void combine(const MlaGenerationMemory<T>& memory, int64_t sequence, int64_t head, std::byte* partials) {
    const Partial first = partial(partials, sequence * splits_);
    SoftmaxRow& sum = first.softmax[head];
    for (int64_t split = 1; split < splits_; ++split) {
      const Partial next = partial(partials, sequence * splits_ + split);
      const SoftmaxRow added = next.softmax[head];
      const float largest = std::max(sum.largest, added.largest);
      const float keep = std::exp2(sum.largest - largest), take = std::exp2(added.largest - largest);
      sum = {largest, sum.total * keep + added.total * take};
      for (int64_t value = 0; value < sizes_.value_blocks(); ++value) {
        float* to = sum_row(first.sums, head, value);
        const float* from = sum_row(next.sums, head, value);
        for (int64_t d = 0; d < kPackedColumns; ++d) to[d] = to[d] * keep + from[d] * take;
      }
    }
    write_row(memory, sequence, head, first);
  }

  AttentionShape s_;
  int threads_;
  PackedSizes<T> sizes_;  // of one block
  AttentionMatmuls matmuls_;
  int64_t splits_ = 1;
};

}  // namespace

std::unique_ptr<PreparedKernel> make_split_mla(const AttentionShape& shape, CpuDevice& device) {
  if (shape.dtype == DType::f32) return std::make_unique<SplitMla<float>>(shape, device);
  return std::make_unique<SplitMla<Bf16>>(shape, device);
}

}  // namespace perfatlas
