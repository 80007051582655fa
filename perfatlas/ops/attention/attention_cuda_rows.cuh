// SPDX-License-Identifier: Apache-2.0
// Plain attention for every op of the family: a block per result row, scores in chunks, softmax as it goes. The second
// opinion beside library kernels, and the only kernel for types and sizes that these lack.
#pragma once

#include "perfatlas/backends/cuda/block_kernel.cuh"
#include "perfatlas/backends/cuda/cuda_element.cuh"
#include "perfatlas/ops/attention/attention_shape.h"

namespace perfatlas {

/// Rows of a paged cache [pages, kv_heads, 64, width].
template <class T>
struct PagedRows {
  const T* cache = nullptr;
  const int32_t* page_table = nullptr;
  int64_t pages = 0;  // per sequence
  int64_t kv_heads = 0, width = 0;

  PERFATLAS_BOTH const T* at(int64_t sequence, int64_t position, int64_t kv_head) const {
    const int64_t page = page_table[sequence * pages + position / kPageTokens];
    return cache + ((page * kv_heads + kv_head) * kPageTokens + position % kPageTokens) * width;
  }
};

/// Rows that lie in order [sequences * tokens, kv_heads, width].
template <class T>
struct DenseRows {
  const T* rows = nullptr;
  int64_t tokens = 0;  // per sequence
  int64_t kv_heads = 0, width = 0;

  PERFATLAS_BOTH const T* at(int64_t sequence, int64_t position, int64_t kv_head) const {
    return rows + ((sequence * tokens + position) * kv_heads + kv_head) * width;
  }
};

/// One result row: softmax(query keys^T * scale) values over the entries first .. last-1.
template <class T>
struct AttendedRow {
  static constexpr int64_t kChunk = 512;  // entries whose scores are held at once

  const T* query = nullptr;
  T* out = nullptr;
  int64_t first = 0, last = 0;
  int64_t head_dim = 0, value_dim = 0;
  float scale = 1;

  static PERFATLAS_BOTH int64_t shared_floats(int64_t value_dim) { return kChunk + value_dim; }

  /// key(i) and value(i) give the first element of entry i.
  template <class Key, class Value>
  PERFATLAS_BOTH void attend(const Block& block, const Key& key, const Value& value) const {
    float *weights = block.shared(), *sums = weights + kChunk;
    const int64_t width = head_dim;
    const T* q = query;
    const float factor = scale;
    float largest = -INFINITY, total = 0;
    block.each(value_dim, [=](int64_t d) { sums[d] = 0; });
    for (int64_t start = first; start < last; start += kChunk) {
      const int64_t count = last - start < kChunk ? last - start : kChunk;
      block.each(count, [&](int64_t i) {
        const auto* row = key(start + i);
        float score = 0;
        for (int64_t d = 0; d < width; ++d) score += to_float(q[d]) * to_float(row[d]);
        weights[i] = score * factor;
      });
      const float now = block.largest(count, largest, [=](int64_t i) { return weights[i]; });
      const float shrink = largest == -INFINITY ? 0 : expf(largest - now);
      largest = now;
      block.each(count, [=](int64_t i) { weights[i] = expf(weights[i] - now); });
      total = total * shrink + block.sum(count, [=](int64_t i) { return weights[i]; });
      block.each(value_dim, [&](int64_t d) {
        float sum = sums[d] * shrink;
        for (int64_t i = 0; i < count; ++i) sum += weights[i] * to_float(value(start + i)[d]);
        sums[d] = sum;
      });
    }
    T* to = out;
    block.each(value_dim, [=](int64_t d) { to[d] = from_float<T>(sums[d] / total); });
  }
};

/// Attention of a whole launch; Keys and Values are PagedRows or DenseRows.
template <class T, class Keys, class Values>
struct AttentionRowsBody {
  int64_t batch = 0, isl = 0, step = 0, heads = 0, group = 1, head_dim = 0, value_dim = 0, window = 0;
  bool causal = true;
  float scale = 1;
  const T* q = nullptr;
  Keys keys;
  Values values;
  T* out = nullptr;

  explicit AttentionRowsBody(const AttentionShape& s)
      : batch(s.batch),
        isl(s.isl),
        step(s.step),
        heads(s.heads),
        group(s.group()),
        head_dim(s.head_dim),
        value_dim(s.value_width()),
        window(s.window),
        causal(s.causal),
        scale(float(s.score_scale())) {}

  int64_t blocks() const { return batch * isl * heads; }
  int64_t shared_floats() const { return AttendedRow<T>::shared_floats(value_dim); }

  PERFATLAS_BOTH void operator()(const Block& block) const {
    const int64_t row = block.index(), head = row % heads, token = row / heads % isl,
                  sequence = row / heads / isl, kv_head = head / group;
    const int64_t position = step + token;
    const AttendedRow<T> attended{.query = q + row * head_dim,
                                  .out = out + row * value_dim,
                                  .first = window > 0 && position >= window ? position - window + 1 : 0,
                                  .last = causal ? position + 1 : step + isl,
                                  .head_dim = head_dim,
                                  .value_dim = value_dim,
                                  .scale = scale};
    const AttentionRowsBody& self = *this;
    attended.attend(
        block, [&](int64_t at) { return self.keys.at(sequence, at, kv_head); },
        [&](int64_t at) { return self.values.at(sequence, at, kv_head); });
  }
};

/// Where a piece of every new token comes from and where it goes in the paged cache.
template <class From, class To>
struct CachePiece {
  const From* from = nullptr;
  To* cache = nullptr;
  int64_t width = 0;        // elements per head of the source
  int64_t cache_width = 0;  // of a row of the cache
  int64_t offset = 0;       // of the piece in that row
};

/// Copies new tokens into a paged cache: a block per token.
template <class From, class To>
struct WriteTokensBody {
  static constexpr int kMostPieces = 2;

  int64_t batch = 0, isl = 0, step = 0, pages = 0, kv_heads = 0;
  const int32_t* page_table = nullptr;
  CachePiece<From, To> pieces[kMostPieces];
  int count = 0;

  WriteTokensBody() = default;
  explicit WriteTokensBody(const AttentionShape& s)
      : batch(s.batch), isl(s.isl), step(s.step), pages(s.pages_per_sequence()), kv_heads(s.kv_heads) {}

  int64_t blocks() const { return batch * isl; }
  int64_t shared_floats() const { return 0; }
  PERFATLAS_BOTH void operator()(const Block& block) const {
    const int64_t token = block.index(), position = step + token % isl;
    const int64_t page = page_table[token / isl * pages + position / kPageTokens];
    for (int p = 0; p < count; ++p) {
      const CachePiece<From, To> piece = pieces[p];
      const From* from = piece.from + token * kv_heads * piece.width;
      To* to = piece.cache + (page * kv_heads * kPageTokens + position % kPageTokens) * piece.cache_width +
               piece.offset;
      block.each(kv_heads * piece.width, [=](int64_t i) {
        const int64_t head = i / piece.width;
        to[head * kPageTokens * piece.cache_width + i % piece.width] = from_float<To>(to_float(from[i]));
      });
    }
  }
};

}  // namespace perfatlas
