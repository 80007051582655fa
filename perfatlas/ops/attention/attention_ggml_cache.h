// SPDX-License-Identifier: Apache-2.0
// The KV cache as llama.cpp keeps it, and how many tokens it attends to at once.
#pragma once

#include <span>
#include <vector>

#include "perfatlas/ops/attention/attention_shape.h"

namespace perfatlas {

/// llama.cpp rounds the visible part of a cache up to this many tokens.
inline constexpr int64_t kGgmlCacheUnit = 256;

/// Tokens that llama.cpp computes at once (its default of n_ubatch).
inline constexpr int64_t kGgmlMicroBatch = 512;

/// One piece of memory per sequence ("stream"), position after position, each with the rows of all key/value heads;
/// room for whole units. ggml knows no pages: where a position lies does not depend on the page table, which is
/// resolved when declared content is packed into this layout, as llama.cpp resolves its cells outside the attention.
class GgmlCacheLayout {
 public:
  explicit GgmlCacheLayout(const AttentionShape& shape);

  int64_t stream_tokens() const { return stream_tokens_; }
  size_t row_bytes() const { return row_bytes_; }  // of one head
  size_t token_bytes() const { return row_bytes_ * size_t(shape_.kv_heads); }
  size_t stream_bytes() const { return token_bytes() * size_t(stream_tokens_); }
  size_t bytes() const { return stream_bytes() * size_t(shape_.batch); }

  /// Copies every position of the pages, also those behind the last token. `page_table` as declared.
  void pack(std::span<const int32_t> page_table, const void* pages, void* streams) const;
  void unpack(std::span<const int32_t> page_table, const void* streams, void* pages) const;

 private:
  template <class Copy>
  void for_each_row(std::span<const int32_t> page_table, Copy copy) const;

  AttentionShape shape_;
  size_t row_bytes_;
  int64_t stream_tokens_;
};

/// One call of the attention: `tokens` new tokens, from number `token` on, of each of `sequences` sequences, from
/// number `sequence` on, see the positions first_position .. end_position-1 (whole units) of their caches through a
/// mask.
struct GgmlMicroBatch {
  int64_t sequence, sequences;
  int64_t token, tokens;
  int64_t first_position, end_position;
};

/// How llama.cpp splits a launch: many short sequences together, long ones each by itself and in turn.
std::vector<GgmlMicroBatch> ggml_micro_batches(const AttentionShape& shape);

/// Positions that a call sees, as ggml's mask has it: tokens rows of f16, 0 where visible, else -infinity.
std::vector<std::byte> ggml_mask(const AttentionShape& shape, const GgmlMicroBatch& batch);

}  // namespace perfatlas
