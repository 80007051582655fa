// SPDX-License-Identifier: Apache-2.0
// The measured rows that a price was made from.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "perfatlas/interp/estimate.h"
#include "perfatlas/tables/table_rows.h"

namespace perfatlas::aic {

struct RowShare {
  const TableRows* table = nullptr;  // kept by the engine that priced
  uint32_t row = 0;                  // in it
  double weight = 0;
  bool operator==(const RowShare&) const = default;
};

/// What the measured part of a price rests on. Kind miss: nothing was measured, or the op does not tell. No rows: the
/// points were made from several rows each (the sum of a transfer and its notification, say).
struct Ground {
  EstimateKind kind = EstimateKind::miss;  // the weakest of the parts
  double distance_octaves = 0;             // of the part that is farthest from its nearest row
  std::vector<RowShare> rows;              // each once; the weights sum to 1
};

/// Parts that count alike: the lengths that a mean is taken over, the chunks of a sequence.
Ground combined(std::span<const Ground> parts);

}  // namespace perfatlas::aic
