// SPDX-License-Identifier: Apache-2.0
// What the ops of DeepSeek sparse attention have in common: which tokens see which, how many are selected, the paged
// caches. Formulas: DeepSeek-AI, "DeepSeek-V3.2-Exp", 2025 (lightning indexer and fine-grained token selection).
#pragma once

#include "perfatlas/ops/attention/attention_shape.h"
#include "perfatlas/ops/mla_module/mla_geometry.h"

namespace perfatlas {

/// `batch` sequences of equal length, each with `step` tokens in the paged caches before `isl` new ones. The new token
/// number i (from 0) has position step + i and sees the positions up to its own.
struct DsaShape {
  int64_t batch = 1;
  int64_t isl = 1;
  int64_t step = 0;
  int64_t heads = 1;  // query heads on this rank
  MlaGeometry geometry;
  DType dtype = DType::bf16;
  DType kv_dtype = DType::bf16;

  int64_t tokens() const { return batch * isl; }
  int64_t context_tokens() const { return step + isl; }
  int64_t pages_per_sequence() const { return (context_tokens() + kPageTokens - 1) / kPageTokens; }
  int64_t pages() const { return batch * pages_per_sequence(); }
  /// Positions that new token `i` of a sequence sees, and how many of them it attends to.
  int64_t visible(int64_t i) const { return step + i + 1; }
  int64_t selected(int64_t i) const { return visible(i) < geometry.topk ? visible(i) : geometry.topk; }
  /// Some token sees more than it attends to.
  bool selects() const { return context_tokens() > geometry.topk; }

  /// Sums over the new tokens of one sequence: of visible(i), of selected(i), and of visible(i) where it is more than
  /// topk (the scores that a selection must look at).
  double visible_pairs() const;
  double selected_pairs() const;
  double contested_pairs() const;
  /// Cached tokens of one sequence that must be read: the last new token attends to selected(isl - 1) tokens, of which
  /// at most isl are new.
  int64_t prefix_selected() const;
};

/// Empty when the shape makes sense somewhere.
std::string_view why_invalid_dsa(const DsaShape& shape);

/// page_table[batch, pages_per_sequence] int32: page p of a sequence holds its positions 64*p .. 64*p+63.
Operand dsa_page_table(const DsaShape& shape);

/// selected[tokens, topk] int32 activation: positions within the sequence, ascending, one drawn from each of
/// selected(i) equal stretches of what the token sees; -1 behind the last one.
Operand dsa_selection(const DsaShape& shape);

}  // namespace perfatlas
