// SPDX-License-Identifier: Apache-2.0
// The cases that `check OP` tries when the user names none: boundaries, a model's shapes, every type.
#pragma once

#include <vector>

#include "perfatlas/schema/model_shapes.h"
#include "perfatlas/schema/op_type.h"

namespace perfatlas {

struct CheckLimits {
  double memory_bytes = 0;  // of the device; larger cases are left out
  double reference_flops =
      2e9;  // the largest case whose naive reference still takes seconds; see kFlopsPerByte
};

/// A byte of an operand is made, converted, copied and compared by the host: about as long as so many operations of the
/// naive reference take.
inline constexpr double kFlopsPerByte = 10;

/// Smallest case (the op's defaults), an odd-sized one, and the smallest, a middle and the largest case of the models'
/// shapes that fit the limits, of every sub-kernel that the op declares; each for every value of the op's type field
/// that makes sense. No case twice.
std::vector<Case> check_cases(const OpType& op, const ModelShapes& shapes, const CheckLimits& limits);

}  // namespace perfatlas
