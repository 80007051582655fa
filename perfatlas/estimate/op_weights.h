// SPDX-License-Identifier: Apache-2.0
// What the ops of a step keep in memory.
#pragma once

#include "perfatlas/aic/op.h"

namespace perfatlas::estimate {

/// Bytes of the weights that the op has on one rank, in all layers that its scale factor stands for. 0 for ops without,
/// and for attention, whose projections are ops of their own; a Fallback has those of its first group, where they are
/// known, else of its second. DSA and DeepSeek-V4 blocks count their projections, indexer and compressors.
double weight_bytes(const aic::Op& op);

}  // namespace perfatlas::estimate
