// SPDX-License-Identifier: Apache-2.0
// Which slices of an op may stand in for one that was never measured, and how alike they are.
#pragma once

#include <optional>

#include "perfatlas/db/op_slices.h"
#include "perfatlas/interp/atlas_transfer.h"

namespace perfatlas {

/// The group of slices within which transfer makes sense: everything exact except the shape. Nothing for ops whose
/// slices are not compared (schema/resemblance.h).
std::optional<SliceKey> transfer_group(const OpType& op, const FieldValues& values);

/// The op's likeness and speed of light. REQUIRES: transfer_group has an answer.
TransferShape transfer_shape(const OpType& op, const FieldValues& values, const SolContext& context);

/// How many slices are asked, and how fast their weight falls with distance.
TransferRule transfer_rule(const OpType& op);

/// The fields that name a model's layer, without its parallel split: slices that agree in them are the same layer.
SliceKey layer_of(const OpType& op, const FieldValues& values);

}  // namespace perfatlas
