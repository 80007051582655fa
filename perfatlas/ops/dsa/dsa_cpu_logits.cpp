// SPDX-License-Identifier: Apache-2.0
// Indexer scores: one oneDNN product of each cache page, as it lies, with the packed queries of a few tokens; then
// every token's rectified products are weighted and summed over the index heads.
#include <omp.h>

#include <algorithm>

#include "perfatlas/backends/cpu/avx512.h"
#include "perfatlas/ops/attention/attention_cpu_blocked.h"  // WorkspaceCutter
#include "perfatlas/ops/attention/attention_cpu_matmuls.h"
#include "perfatlas/ops/attention/attention_cpu_pack.h"
#include "perfatlas/ops/dsa/dsa_cpu.h"

namespace perfatlas {
namespace {

/// logits[key] = sum over heads of weights * max(products[key * stride + head], 0) for `keys` keys.
PERFATLAS_AVX512 void weigh(const float* products, int64_t stride, int64_t keys, const float* weights,
                            int64_t heads, float* logits) {
  for (int64_t key = 0; key < keys; ++key) {
    __m512 sum = _mm512_setzero_ps();
    for (int64_t head = 0; head < heads; head += 16) {
      const auto lanes = __mmask16(heads - head >= 16 ? 0xFFFF : (1 << (heads - head)) - 1);
      const __m512 product = _mm512_maskz_loadu_ps(lanes, products + key * stride + head);
      sum = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(lanes, weights + head),
                            _mm512_max_ps(product, _mm512_setzero_ps()), sum);
    }
    logits[key] = _mm512_reduce_add_ps(sum);
  }
}

template <class T>
class BlockedLogits final : public PreparedKernel {
 public:
  BlockedLogits(const DsaMqaLogits& op, CpuDevice& device)
      : s_(op.shape()),
        threads_(device.threads()),
        block_tokens_(std::clamp<int64_t>(kColumns / s_.geometry.index_heads, 1, s_.isl)),
        sizes_{s_.geometry.index_dim, 0, padded(block_tokens_ * s_.geometry.index_heads)},
        matmuls_(op.dtype, threads_, device.onednn()) {
    matmuls_.add(product_size(block_tokens_));
    if (s_.isl % block_tokens_ != 0) matmuls_.add(product_size(s_.isl % block_tokens_));
    // Enough pieces for all threads, each long enough to be worth packing its queries for.
    const int64_t blocks = s_.batch * block_count(), wanted = (4 * threads_ + blocks - 1) / blocks;
    piece_pages_ = std::max<int64_t>((s_.pages_per_sequence() + wanted - 1) / wanted, 8);
  }

  size_t workspace_bytes() const override { return size_t(threads_) * bench(nullptr).bytes; }

  void launch(Stream, std::span<void* const> operands, void* workspace) override {
    const int64_t blocks = block_count();
    const int64_t pieces = (s_.pages_per_sequence() + piece_pages_ - 1) / piece_pages_;
#pragma omp parallel num_threads(threads_)
    {
      const int thread = omp_get_thread_num();
      const Bench own = bench(static_cast<std::byte*>(workspace) + size_t(thread) * bench(nullptr).bytes);
#pragma omp for collapse(3) schedule(dynamic, 1)
      for (int64_t sequence = 0; sequence < s_.batch; ++sequence)
        for (int64_t block = 0; block < blocks; ++block)
          for (int64_t piece = 0; piece < pieces; ++piece)
            score({operands, sequence, block * block_tokens_, piece * piece_pages_, thread}, own);
    }
    matmuls_.throw_if_refused();
  }

 private:
  static constexpr int64_t kColumns =
      256;  // (token, head) pairs per product: enough to pay for loading a page

  struct Task {
    std::span<void* const> operands;
    int64_t sequence, first_token, first_page;
    int thread;
  };
  struct Bench {
    T* q;             // packed [index_dim, columns]
    float* products;  // [64, columns]
    std::byte* scratchpad;
    size_t bytes;
  };

  static int64_t padded(int64_t columns) {
    return (columns + kPackedColumns - 1) / kPackedColumns * kPackedColumns;
  }
  int64_t block_count() const { return (s_.isl + block_tokens_ - 1) / block_tokens_; }
  MatmulSize product_size(int64_t tokens) const {
    return {kPageTokens, s_.geometry.index_dim, tokens * s_.geometry.index_heads, false};
  }
  Bench bench(std::byte* start) const {
    WorkspaceCutter cut(start);
    Bench own{};
    own.q = cut.take<T>(sizes_.key_elements());
    own.products = cut.take<float>(size_t(kPageTokens * sizes_.tokens));
    own.scratchpad = cut.take<std::byte>(matmuls_.scratchpad_bytes());
    own.bytes = (cut.used() + 4095) / 4096 * 4096;
    return own;
  }

  void score(const Task& task, const Bench& own) {
    const MlaGeometry& g = s_.geometry;
    const int64_t tokens = std::min(block_tokens_, s_.isl - task.first_token), rows = tokens * g.index_heads;
    const int64_t token = task.sequence * s_.isl + task.first_token;
    const auto* q = static_cast<const T*>(task.operands[logits_q_at]) + token * g.index_heads * g.index_dim;
    for (int64_t row = 0; row < rows; row += kPackedColumns)
      pack_key_page(sizes_, KvRows<T>{q + row * g.index_dim, g.index_dim},
                    std::min(rows - row, kPackedColumns), own.q + sizes_.key_page(row / kPackedColumns));
    const int64_t last = std::min(task.first_page + piece_pages_, s_.pages_per_sequence());
    for (int64_t page = task.first_page; page < last; ++page) {
      const bool seen = page * kPageTokens < s_.visible(task.first_token + tokens - 1);
      if (seen)
        matmuls_.run(product_size(tokens), task.thread,
                     {dsa_cached(s_, static_cast<const T*>(task.operands[logits_cache_at]),
                                 static_cast<const int32_t*>(task.operands[logits_page_table_at]),
                                 task.sequence, page * kPageTokens, g.index_dim),
                      own.q, own.products, own.scratchpad});
      for (int64_t i = 0; i < tokens; ++i) write_page(task, i, page, own.products + i * g.index_heads, rows);
    }
  }

  /// The scores of new token first_token + i against one page.
  void write_page(const Task& task, int64_t i, int64_t page, const float* products, int64_t stride) {
    const int64_t token = task.sequence * s_.isl + task.first_token + i, first = page * kPageTokens;
    const int64_t columns = std::min(kPageTokens, s_.context_tokens() - first);
    const int64_t seen = std::clamp<int64_t>(s_.visible(task.first_token + i) - first, 0, columns);
    float* logits = static_cast<float*>(task.operands[logits_out_at]) + token * s_.context_tokens() + first;
    const auto* weights =
        static_cast<const float*>(task.operands[logits_weights_at]) + token * s_.geometry.index_heads;
    weigh(products, stride, seen, weights, s_.geometry.index_heads, logits);
    std::fill(logits + seen, logits + columns, 0.0F);
  }

  DsaShape s_;
  int threads_;
  int64_t block_tokens_;
  PackedSizes<T> sizes_;  // of the queries, as if they were keys: columns are (token, head) pairs
  AttentionMatmuls matmuls_;
  int64_t piece_pages_ = 1;
};

}  // namespace

std::unique_ptr<PreparedKernel> make_blocked_logits(const DsaMqaLogits& op, CpuDevice& device) {
  if (op.dtype == DType::f32) return std::make_unique<BlockedLogits<float>>(op, device);
  return std::make_unique<BlockedLogits<Bf16>>(op, device);
}

}  // namespace perfatlas
