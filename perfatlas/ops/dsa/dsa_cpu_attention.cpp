// SPDX-License-Identifier: Apache-2.0
// Attention to selected tokens from library matmuls. The selected rows of one token are gathered and packed a block at
// a time, as keys and as values; then scores = q k^T, online softmax, out += weights v for its heads.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "perfatlas/ops/attention/attention_cpu_blocked.h"  // WorkspaceCutter
#include "perfatlas/ops/attention/attention_cpu_matmuls.h"
#include "perfatlas/ops/attention/attention_cpu_pack.h"
#include "perfatlas/ops/attention/attention_cpu_softmax.h"
#include "perfatlas/ops/dsa/dsa_cpu.h"

namespace perfatlas {
namespace {

constexpr int64_t kBlockPages = 8;  // selected tokens per block, in pages: its packed rows fit a 2 MB cache

template <class T>
class GatheredAttention final : public PreparedKernel {
 public:
  GatheredAttention(const DsaAttention& op, CpuDevice& device)
      : s_(op.shape()),
        threads_(device.threads()),
        parts_(std::clamp<int64_t>((threads_ + s_.tokens() - 1) / s_.tokens(), 1, s_.heads)),
        sizes_{s_.geometry.latent(), s_.geometry.kv_lora, kBlockPages * kPageTokens},
        matmuls_(op.dtype, threads_, device.onednn()) {
    const int64_t most_pages =
        std::min((s_.selected(s_.isl - 1) + kPageTokens - 1) / kPageTokens, kBlockPages);
    for (int64_t part = 0; part < parts_; ++part)
      for (int64_t pages = 1; pages <= most_pages; ++pages) {
        matmuls_.add(score_size(part_heads(part), pages));
        for (int64_t block = 0; block < sizes_.value_blocks(); ++block)
          matmuls_.add(value_size(part_heads(part), pages, block));
      }
  }

  size_t workspace_bytes() const override { return size_t(threads_) * bench(nullptr).bytes; }

  void launch(Stream, std::span<void* const> operands, void* workspace) override {
#pragma omp parallel num_threads(threads_)
    {
      const int thread = omp_get_thread_num();
      const Bench own = bench(static_cast<std::byte*>(workspace) + size_t(thread) * bench(nullptr).bytes);
#pragma omp for collapse(2) schedule(dynamic, 1)
      for (int64_t token = 0; token < s_.tokens(); ++token)
        for (int64_t part = 0; part < parts_; ++part) attend({operands, token, part, thread}, own);
    }
    matmuls_.throw_if_refused();
  }

 private:
  struct Task {
    std::span<void* const> operands;
    int64_t token, part;
    int thread;
  };
  struct Bench {
    T* rows;        // gathered [64, latent]
    T* packed;      // keys, then values of a block
    float* scores;  // [heads, columns of the block]
    T* weights;     // the same
    float* sums;    // [value blocks][heads, columns]
    SoftmaxRow* softmax;
    std::byte* scratchpad;
    size_t bytes;
  };

  int64_t first_head(int64_t part) const { return part * s_.heads / parts_; }
  int64_t part_heads(int64_t part) const { return first_head(part + 1) - first_head(part); }
  int64_t value_columns(int64_t block) const {
    return std::min(kPackedColumns, s_.geometry.kv_lora - block * kPackedColumns);
  }
  MatmulSize score_size(int64_t heads, int64_t pages) const {
    return {heads, s_.geometry.latent(), pages * kPageTokens, false};
  }
  MatmulSize value_size(int64_t heads, int64_t pages, int64_t block) const {
    return {heads, pages * kPageTokens, value_columns(block), true};
  }
  Bench bench(std::byte* start) const {
    const auto heads = size_t((s_.heads + parts_ - 1) / parts_), columns = size_t(sizes_.tokens);
    WorkspaceCutter cut(start);
    Bench own{};
    own.rows = cut.take<T>(size_t(kPageTokens * s_.geometry.latent()));
    own.packed = cut.take<T>(sizes_.key_elements() + sizes_.value_elements());
    own.scores = cut.take<float>(heads * columns);
    own.weights = cut.take<T>(heads * columns);
    own.sums = cut.take<float>(heads * size_t(sizes_.value_blocks() * kPackedColumns));
    own.softmax = cut.take<SoftmaxRow>(heads);
    own.scratchpad = cut.take<std::byte>(matmuls_.scratchpad_bytes());
    own.bytes = (cut.used() + 4095) / 4096 * 4096;
    return own;
  }

  void attend(const Task& task, const Bench& own) {
    const int64_t selected = s_.selected(task.token % s_.isl), heads = part_heads(task.part);
    std::fill_n(own.sums, heads * s_.geometry.kv_lora, 0.0F);
    std::fill_n(own.softmax, heads, SoftmaxRow{-std::numeric_limits<float>::infinity(), 0});
    for (int64_t first = 0; first < selected; first += sizes_.tokens)
      add_tokens(task, first, std::min(selected - first, sizes_.tokens), own);
    const int64_t head = task.token * s_.heads + first_head(task.part);
    T* out = static_cast<T*>(task.operands[dsa_out_at]) + head * s_.geometry.kv_lora;
    for (int64_t row = 0; row < heads; ++row, out += s_.geometry.kv_lora) {
      const float factor = 1 / own.softmax[row].total;
      const float* sums = own.sums;
      for (int64_t block = 0; block < sizes_.value_blocks(); ++block) {
        const int64_t columns = value_columns(block);
        store_scaled(sums + row * columns, columns, factor, out + block * kPackedColumns);
        sums += heads * columns;
      }
    }
  }

  /// `count` selected tokens from number `first` on.
  void add_tokens(const Task& task, int64_t first, int64_t count, const Bench& own) {
    const int64_t heads = part_heads(task.part), pages = (count + kPageTokens - 1) / kPageTokens;
    T* const values = own.packed + sizes_.key_elements();
    for (int64_t page = 0; page < pages; ++page) {
      const int64_t filled = std::min(count - page * kPageTokens, kPageTokens);
      gather(task, first + page * kPageTokens, filled, own.rows);
      const KvRows<T> rows{own.rows, s_.geometry.latent()};
      pack_key_page(sizes_, rows, filled, own.packed + sizes_.key_page(page));
      pack_value_page(sizes_, rows, filled, page, values);
    }
    const int64_t head = task.token * s_.heads + first_head(task.part);
    const T* q = static_cast<const T*>(task.operands[dsa_q_at]) + head * s_.geometry.latent();
    matmuls_.run(score_size(heads, pages), task.thread, {q, own.packed, own.scores, own.scratchpad});
    apply_softmax(heads, pages * kPageTokens, count, own);
    float* sums = own.sums;
    for (int64_t block = 0; block < sizes_.value_blocks(); ++block) {
      matmuls_.run(value_size(heads, pages, block), task.thread,
                   {own.weights, values + sizes_.value_page(block, 0), sums, own.scratchpad});
      sums += heads * value_columns(block);
    }
  }

  void gather(const Task& task, int64_t first, int64_t count, T* rows) const {
    const int64_t width = s_.geometry.latent();
    const auto* selected =
        static_cast<const int32_t*>(task.operands[dsa_selected_at]) + task.token * s_.geometry.topk + first;
    for (int64_t i = 0; i < count; ++i)
      std::memcpy(rows + i * width,
                  dsa_cached(s_, static_cast<const T*>(task.operands[dsa_cache_at]),
                             static_cast<const int32_t*>(task.operands[dsa_page_table_at]),
                             task.token / s_.isl, selected[i], width),
                  size_t(width) * sizeof(T));
  }

  void apply_softmax(int64_t heads, int64_t columns, int64_t filled, const Bench& own) {
    ScoreBlock block{.columns = columns, .first = 0, .last = filled};
    block.scale = float(1.4426950408889634 / std::sqrt(double(s_.geometry.head())));  // log2(e) / sqrt(head)
    for (int64_t row = 0; row < heads; ++row) {
      const bool empty = own.softmax[row].total == 0;
      const float shrink =
          softmax_block(own.scores + row * columns, block, own.weights + row * columns, own.softmax[row]);
      if (shrink == 1 || empty) continue;
      float* sums = own.sums;
      for (int64_t part = 0; part < sizes_.value_blocks(); ++part) {
        scale_floats(sums + row * value_columns(part), value_columns(part), shrink);
        sums += heads * value_columns(part);
      }
    }
  }

  DsaShape s_;
  int threads_;
  int64_t parts_;  // of the heads of one token, for different threads
  PackedSizes<T> sizes_;
  AttentionMatmuls matmuls_;
};

}  // namespace

std::unique_ptr<PreparedKernel> make_gathered_attention(const DsaAttention& op, CpuDevice& device) {
  if (op.dtype == DType::f32) return std::make_unique<GatheredAttention<float>>(op, device);
  return std::make_unique<GatheredAttention<Bf16>>(op, device);
}

}  // namespace perfatlas
