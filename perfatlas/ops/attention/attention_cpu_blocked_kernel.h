// SPDX-License-Identifier: Apache-2.0
// Attention from library matmuls. A wave of (sequence, key/value head) pairs has its pages packed once; then query
// blocks, independent of each other, run scores = q k^T, online softmax, out += weights v over blocks of keys. Memory
// beyond the operands: the packed cache of one wave and about 1 MB per thread.
#pragma once

#include <omp.h>

#include <cmath>
#include <limits>

#include "perfatlas/ops/attention/attention_cpu_blocked.h"
#include "perfatlas/ops/attention/attention_cpu_matmuls.h"
#include "perfatlas/ops/attention/attention_cpu_softmax.h"

namespace perfatlas {

/// What one thread of blocked attention works in.
template <class T>
struct BlockedBench {
  BlockedBench(void* start, const PackedSizes<T>& sizes, int64_t rows, size_t scratchpad_bytes) {
    WorkspaceCutter cut(start);
    q = cut.take<T>(size_t(rows * sizes.key_depth()));
    scores = cut.take<float>(size_t(rows * BlockedPlan::kKeyPages * kPageTokens));
    weights = cut.take<T>(size_t(rows * BlockedPlan::kKeyPages * kPageTokens));
    sums = cut.take<float>(size_t(rows * sizes.value_blocks() * kPackedColumns));
    softmax = cut.take<SoftmaxRow>(size_t(rows));
    scratchpad = cut.take<std::byte>(scratchpad_bytes);
    bytes = (cut.used() + 4095) / 4096 * 4096;
  }

  T* q;           // [rows, key_depth]
  float* scores;  // [rows, columns of the block]
  T* weights;     // the same
  float* sums;    // [value_blocks][rows, columns of the block]
  SoftmaxRow* softmax;
  std::byte* scratchpad;
  size_t bytes;
};

/// `Memory`: where a launch finds its rows (attention_cpu.h). REQUIRES: AVX-512, with its bf16 extension for bf16;
/// shape.dtype is that of Memory::Element.
template <class Memory>
class BlockedAttention final : public PreparedKernel {
 public:
  using T = typename Memory::Element;

  BlockedAttention(const AttentionShape& shape, CpuDevice& device)
      : s_(shape),
        plan_(shape),
        threads_(device.threads()),
        sizes_{shape.head_dim, shape.value_width(),
               (plan_.all_pages().end - plan_.all_pages().begin) * kPageTokens},
        matmuls_(shape.dtype, threads_, device.onednn()) {
    for (int64_t i = 0; i < plan_.query_blocks(); ++i) add_matmuls(plan_.query_block(i));
    // Few tokens make small waves, whose barriers would cost more than the work: fill half a second-level cache.
    const int64_t fitting = int64_t((size_t(1) << 20) / pair_bytes());
    wave_ = std::clamp<int64_t>(fitting, threads_, std::max<int64_t>(threads_, s_.batch * s_.kv_heads));
  }

  size_t workspace_bytes() const override {
    return size_t(wave_) * pair_bytes() + size_t(threads_) * bench(nullptr).bytes;
  }

  void launch(Stream, std::span<void* const> operands, void* workspace) override {
    const Memory memory(operands);
    const int64_t pairs = s_.batch * s_.kv_heads, blocks = plan_.query_blocks();
    const PageRange pages = plan_.all_pages();
    auto* packed = static_cast<std::byte*>(workspace);
    std::byte* benches = packed + size_t(wave_) * pair_bytes();
#pragma omp parallel num_threads(threads_)
    {
      const int thread = omp_get_thread_num();
      const BlockedBench<T> own = bench(benches + size_t(thread) * bench(nullptr).bytes);
#pragma omp for
      for (int64_t pair = 0; pair < pairs; ++pair)
        memory.write_new_tokens(s_, pair / s_.kv_heads, pair % s_.kv_heads);
      for (int64_t first = 0; first < pairs; first += wave_) {
        const int64_t last = std::min(first + wave_, pairs);
#pragma omp for collapse(2) schedule(static)
        for (int64_t pair = first; pair < last; ++pair)
          for (int64_t page = pages.begin; page < pages.end; ++page)
            pack_page(memory, pair, page, pair_at(packed, pair - first));
            // The longest blocks first: with a causal mask these are the last ones.
#pragma omp for collapse(2) schedule(dynamic, 1)
        for (int64_t block = blocks - 1; block >= 0; --block)
          for (int64_t pair = first; pair < last; ++pair)
            attend(memory, {pair, block, thread, pair_at(packed, pair - first)}, own);
      }
    }
    matmuls_.throw_if_refused();
  }

 private:
  struct Task {
    int64_t pair, block;
    int thread;
    const T* packed;
  };

  size_t pair_bytes() const {
    return (sizes_.key_elements() + sizes_.value_elements()) * sizeof(T);  // a multiple of 64: whole pages
  }
  T* pair_at(std::byte* packed, int64_t slot) const {
    return reinterpret_cast<T*>(packed + size_t(slot) * pair_bytes());
  }
  BlockedBench<T> bench(void* start) const {
    return {start, sizes_, plan_.largest_rows(), matmuls_.scratchpad_bytes()};
  }
  int64_t value_columns(int64_t block) const {
    return std::min(kPackedColumns, s_.value_width() - block * kPackedColumns);
  }
  MatmulSize score_size(int64_t rows, int64_t pages) const {
    return {rows, sizes_.key_depth(), pages * kPageTokens, false};
  }
  MatmulSize value_size(int64_t rows, int64_t pages, int64_t block) const {
    return {rows, pages * kPageTokens, value_columns(block), true};
  }

  void add_matmuls(const QueryBlock& queries) {
    const auto [begin, end] = plan_.pages(queries);
    const int64_t rows = plan_.rows(queries);
    for (int64_t page = begin; page < end; page += BlockedPlan::kKeyPages) {
      const int64_t count = std::min(BlockedPlan::kKeyPages, end - page);
      matmuls_.add(score_size(rows, count));
      for (int64_t block = 0; block < sizes_.value_blocks(); ++block)
        matmuls_.add(value_size(rows, count, block));
    }
  }

  void pack_page(const Memory& memory, int64_t pair, int64_t page, T* packed) {
    const int64_t sequence = pair / s_.kv_heads, kv_head = pair % s_.kv_heads;
    const int64_t filled = std::min(s_.context_tokens() - page * kPageTokens, kPageTokens);
    const int64_t at = page - plan_.all_pages().begin;
    pack_key_page(sizes_, memory.keys(s_, sequence, kv_head, page), filled, packed + sizes_.key_page(at));
    pack_value_page(sizes_, memory.values(s_, sequence, kv_head, page), filled, at,
                    packed + sizes_.key_elements());
  }

  /// Query (and output) rows before the one of one new token and the first query head of a pair.
  int64_t query_row(int64_t pair, int64_t token) const {
    const int64_t sequence = pair / s_.kv_heads, kv_head = pair % s_.kv_heads;
    return (sequence * s_.isl + token) * s_.heads + kv_head * s_.group();
  }

  void attend(const Memory& memory, const Task& task, const BlockedBench<T>& bench) {
    const QueryBlock queries = plan_.query_block(task.block);
    const int64_t rows = plan_.rows(queries);
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t at = query_row(task.pair, queries.first + row / s_.group()) + row % s_.group();
      const T* from = memory.q + at * s_.head_dim;
      T* to = bench.q + row * sizes_.key_depth();
      std::copy_n(from, s_.head_dim, to);
      std::fill(to + s_.head_dim, to + sizes_.key_depth(), T{});
    }
    std::fill_n(bench.sums, rows * s_.value_width(), 0.0F);
    std::fill_n(bench.softmax, rows, SoftmaxRow{-std::numeric_limits<float>::infinity(), 0});
    const auto [begin, end] = plan_.pages(queries);
    for (int64_t page = begin; page < end; page += BlockedPlan::kKeyPages)
      add_keys(task, queries, {page, std::min(page + BlockedPlan::kKeyPages, end)}, bench);
    write_out(memory, task, queries, bench);
  }

  void add_keys(const Task& task, const QueryBlock& queries, const PageRange& pages,
                const BlockedBench<T>& bench) {
    const int64_t rows = plan_.rows(queries), count = pages.end - pages.begin;
    const int64_t at = pages.begin - plan_.all_pages().begin;
    matmuls_.run(score_size(rows, count), task.thread,
                 {bench.q, task.packed + sizes_.key_page(at), bench.scores, bench.scratchpad});
    apply_softmax(queries, pages, bench);
    float* sums = bench.sums;
    for (int64_t block = 0; block < sizes_.value_blocks(); ++block) {
      const T* values = task.packed + sizes_.key_elements() + sizes_.value_page(block, at);
      matmuls_.run(value_size(rows, count, block), task.thread,
                   {bench.weights, values, sums, bench.scratchpad});
      sums += rows * value_columns(block);
    }
  }

  void apply_softmax(const QueryBlock& queries, const PageRange& pages, const BlockedBench<T>& bench) {
    const int64_t rows = plan_.rows(queries), first = pages.begin * kPageTokens;
    ScoreBlock block{.columns = (pages.end - pages.begin) * kPageTokens};
    block.scale = float(1.4426950408889634 * s_.score_scale());  // times log2(e)
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t position = s_.step + queries.first + row / s_.group();
      block.first = std::clamp<int64_t>(s_.first_visible(position) - first, 0, block.columns);
      block.last = std::clamp<int64_t>(s_.last_visible(position) - first, 0, block.columns);
      const bool empty = bench.softmax[row].total == 0;
      const float shrink = softmax_block(bench.scores + row * block.columns, block,
                                         bench.weights + row * block.columns, bench.softmax[row]);
      if (shrink != 1 && !empty) scale_sums(rows, row, shrink, bench.sums);
    }
  }

  void scale_sums(int64_t rows, int64_t row, float factor, float* sums) {
    for (int64_t block = 0; block < sizes_.value_blocks(); ++block) {
      scale_floats(sums + row * value_columns(block), value_columns(block), factor);
      sums += rows * value_columns(block);
    }
  }

  void write_out(const Memory& memory, const Task& task, const QueryBlock& queries,
                 const BlockedBench<T>& bench) {
    const int64_t rows = plan_.rows(queries);
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t at = query_row(task.pair, queries.first + row / s_.group()) + row % s_.group();
      T* to = memory.out + at * s_.value_width();
      const float factor = 1 / bench.softmax[row].total;
      const float* sums = bench.sums;
      for (int64_t block = 0; block < sizes_.value_blocks(); ++block) {
        const int64_t columns = value_columns(block);
        store_scaled(sums + row * columns, columns, factor, to + block * kPackedColumns);
        sums += rows * columns;
      }
    }
  }

  AttentionShape s_;
  BlockedPlan plan_;
  int threads_;
  PackedSizes<T> sizes_;
  AttentionMatmuls matmuls_;
  int64_t wave_ = 1;
};

}  // namespace perfatlas
