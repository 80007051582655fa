// SPDX-License-Identifier: Apache-2.0
// How far transfer from similar slices is from slices that were measured.
#pragma once

#include "perfatlas/accuracy/leave_out.h"

namespace perfatlas {

/// Whole slices taken away and answered from similar ones (db/resemblance.h): missing_split takes one slice,
/// missing_layer all of its layer. The compatible engine borrows the efficiency of the nearest shape of the same split;
/// it is only asked for moe. Empty for ops whose slices are not compared. Up to 400 slices of each group.
std::vector<LeftOut> slice_out(const OpType& op, std::span<const OpSlice> slices,
                               const LeaveOutOptions& options);

}  // namespace perfatlas
