// SPDX-License-Identifier: Apache-2.0
// Which slices of an op may stand in for one that was never measured, and how alike they are.
#pragma once

#include <optional>

#include "perfatlas/db/op_slices.h"
#include "perfatlas/interp/atlas_transfer.h"

namespace perfatlas {

/// The group of slices within which transfer makes sense: everything exact except the shape. Nothing for ops whose
/// slices are not compared.
///   moe: dtypes, distribution and gating; shapes: sizes, top-k and the parallel split
///   attention: dtypes and window; shapes: kv heads and head size
std::optional<SliceKey> transfer_group(const OpType& op, const FieldValues& values);

/// Weighted features in octaves, local work and speed of light. REQUIRES: transfer_group has an answer.
///   moe: hidden, inter/tp, experts/ep (half), top-k, ep; slices compare at equal pairs of token and expert per rank
///   attention: head size, kv heads (multi-head: 32, and 2 in squared distance from grouped)
TransferShape transfer_shape(const OpType& op, const FieldValues& values, const SolContext& context);

/// How many slices are asked, and how fast their weight falls with distance.
TransferRule transfer_rule(const OpType& op);

/// The fields that name a model's layer, without its parallel split: slices that agree in them are the same layer.
SliceKey layer_of(const OpType& op, const FieldValues& values);

}  // namespace perfatlas
