// SPDX-License-Identifier: Apache-2.0
// How blocked attention cuts its work: query blocks, key blocks, and what every thread needs beside the packed cache.
#pragma once

#include <algorithm>

#include "perfatlas/ops/attention/attention_cpu_pack.h"

namespace perfatlas {

/// A run of new tokens with all query heads of one key/value head: rows (token, head), dense.
struct QueryBlock {
  int64_t first = 0;   // new token
  int64_t tokens = 0;  // new tokens
};

/// The pages that the tokens of a query block see.
struct PageRange {
  int64_t begin = 0, end = 0;
};

/// The cuts of one case. Every sequence is cut alike.
class BlockedPlan {
 public:
  /// Rows that a matmul has at least, when there are as many: enough to pay for loading its packed operand.
  static constexpr int64_t kRows = 256;
  /// Tokens per block of keys: scores and weights of one block stay in a 2 MB second-level cache.
  static constexpr int64_t kKeyPages = 8;

  explicit BlockedPlan(const AttentionShape& shape)
      : s_(shape), tokens_(std::min(std::max<int64_t>(kRows / shape.group(), 1), shape.isl)) {}

  int64_t query_blocks() const { return (s_.isl + tokens_ - 1) / tokens_; }
  QueryBlock query_block(int64_t index) const {
    return {index * tokens_, std::min(tokens_, s_.isl - index * tokens_)};
  }
  int64_t rows(const QueryBlock& block) const { return block.tokens * s_.group(); }
  int64_t largest_rows() const { return tokens_ * s_.group(); }
  PageRange pages(const QueryBlock& block) const {
    const int64_t last = s_.last_visible(s_.step + block.first + block.tokens - 1);
    return {s_.first_visible(s_.step + block.first) / kPageTokens, (last + kPageTokens - 1) / kPageTokens};
  }
  /// Pages that any token sees.
  PageRange all_pages() const { return {s_.first_visible(s_.step) / kPageTokens, s_.pages_per_sequence()}; }

 private:
  AttentionShape s_;
  int64_t tokens_;
};

/// Hands out consecutive pieces of a workspace, each aligned to a cache line. Counts only when it starts at null.
class WorkspaceCutter {
 public:
  explicit WorkspaceCutter(void* start) : start_(static_cast<std::byte*>(start)) {}

  template <class T>
  T* take(size_t count) {
    std::byte* at = start_ == nullptr ? nullptr : start_ + used_;
    used_ += (count * sizeof(T) + 63) / 64 * 64;
    return reinterpret_cast<T*>(at);
  }
  size_t used() const { return used_; }

 private:
  std::byte* start_;
  size_t used_ = 0;
};

}  // namespace perfatlas
