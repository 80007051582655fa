// SPDX-License-Identifier: Apache-2.0
// How far the engines are from rows that they have not seen: the leave-outs of interp/hold_outs.h, both engines on the
// same questions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "perfatlas/db/op_slices.h"
#include "perfatlas/interp/hold_outs.h"

namespace perfatlas {

/// One row that was taken away and asked for.
struct LeftOut {
  HoldOutKind kind = HoldOutKind::one_row;
  size_t axis = 0;
  double measured_ms = 0;
  bool math_bound = false;  // by speed of light
  double aic_ms = 0;        // the compatible engine; 0: no answer
  double atlas_ms = 0;      // 0: no answer
  BarWidths half_width{};   // of atlas, calibrated on the whole table
};

struct LeaveOutOptions {
  uint64_t seed = 1;
  double share = 1;  // of the slices, chosen by the seed
};

/// Rows that the filter for spoiled rows takes out of the whole slice are asked of no engine: nobody can predict them.
/// Slices of fewer than three points say nothing. REQUIRES: the slices are of `op`.
std::vector<LeftOut> leave_out(const OpType& op, std::span<const OpSlice> slices,
                               const LeaveOutOptions& options);

/// The bars of a table: every slice adds its leave-outs (interp/atlas_bars.h).
AtlasBars table_bars(const OpType& op, std::span<const OpSlice> slices);

}  // namespace perfatlas
