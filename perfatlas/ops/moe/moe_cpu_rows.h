// SPDX-License-Identifier: Apache-2.0
// The router's decisions turned into rows: which rows of the gathered tokens belong to which expert of this rank, and
// where a token finds the results of its experts again.
#pragma once

#include <span>
#include <vector>

#include "perfatlas/ops/moe/moe.h"

namespace perfatlas {

/// All vectors are made once for the largest step; nothing is allocated afterwards.
class ExpertRows {
 public:
  /// For up to `most_tokens` tokens at a time.
  ExpertRows(const Moe& op, int64_t most_tokens, int threads);

  /// Rows that any routing of `most_tokens` needs at most.
  int64_t most_rows() const { return int64_t(token_.size()); }

  /// Chooses the experts of one token and their weights. `logits`: its row. Different tokens may be done by different
  /// threads at once.
  void choose(int64_t token, const float* logits);

  /// Gives every choice on this rank a row: experts in order, their rows together, in the order of tokens, each
  /// expert's first row where the padded rows of the one before end. After all choose() of `tokens` tokens.
  void group(int64_t tokens);

  /// Rows of one expert that are multiplied together, at most ExpertMatmul::kMostRows.
  struct Group {
    int32_t expert;
    int32_t first, rows;
  };
  std::span<const Group> groups() const { return {groups_.data(), group_count_}; }

  /// Token of a row; -1 for rows that only pad.
  int32_t token_of(int64_t row) const { return token_[size_t(row)]; }
  /// Rows in use, padding included.
  int64_t rows() const { return rows_; }

  struct Choice {
    int32_t row;  // -1: on another rank
    float weight;
  };
  /// The topk choices of a token.
  std::span<const Choice> choices_of(int64_t token) const {
    return {choices_.data() + token * op_.topk, size_t(op_.topk)};
  }

  /// Space for one row of logits, one per thread.
  float* logits_of(int thread) { return logits_.data() + int64_t(thread) * op_.experts; }

 private:
  Moe op_;
  std::vector<int32_t> chosen_;  // experts [token, choice]
  std::vector<Choice> choices_;
  std::vector<int32_t> next_;  // per local expert: counts, then next free row
  std::vector<int32_t> token_;
  std::vector<Group> groups_;
  size_t group_count_ = 0;
  int64_t rows_ = 0;
  std::vector<float> logits_;
};

}  // namespace perfatlas
