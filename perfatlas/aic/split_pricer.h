// SPDX-License-Identifier: Apache-2.0
// Sparse attention blocks of prompts whose tokens several ranks share in turn (token i belongs to rank i mod cp).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/aic/pricer.h"
#include "perfatlas/ops/collective/collective_aic.h"

namespace perfatlas::aic {

/// What the ranks of a block do to each other's parts.
struct SplitBlock {
  /// Elements of 16 bits that all ranks gather from each other, of one tensor, for the whole prompt.
  using GatheredElements = std::function<double(const PhasePoint&)>;
  /// Milliseconds that a rank's share of the whole prompt takes longer, in kernels whose work is not proportional to
  /// new tokens, than its part would as a prompt of its own. Nothing where the kernels were not measured.
  using Excess = std::function<std::optional<double>(const PhasePoint& whole, const PhasePoint& part)>;

  int64_t cp_size = 1;
  std::string why_impossible;  // in one line; empty: it can be priced somewhere
  Excess excess;               // null: none
  std::function<std::string(const PhasePoint&)> why_missing;  // in one line, where `excess` gives nothing
  std::vector<GatheredElements> gathered;
};

/// Milliseconds of an indexer's kernels: for the whole prompt, and for a rank's part as a prompt of its own. Nothing:
/// not measured.
struct IndexerMs {
  std::optional<double> scores, part_scores, selection, part_selection;
};

/// SplitBlock::Excess of a block with an indexer.
std::optional<double> indexer_excess_ms(const IndexerMs& ms, int64_t cp_size);

/// A rank's part (the new tokens over cp, rounded up) as a prompt of its own, plus the excess, plus the gathers.
/// Source estimated; energy unknown. REQUIRES: cp_size > 1.
std::unique_ptr<const Pricer> split_pricer(std::unique_ptr<const Pricer> part, SplitBlock block,
                                           const Binding& binding);

}  // namespace perfatlas::aic
