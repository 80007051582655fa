// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_attention.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

/// Silicon: the grid heads, isl (square roots blend linearly), batch of the first kernel that has the slice
/// (attention_aic_lanes.h), asked at s + prefix and multiplied by the share of the pairs that are new,
/// (full^2 - prefix^2) / full^2; then the small kernels around it (rotation, cache write, norms) at 1.1 times their
/// memory time. These are charged for the bytes of one token: with their launch they cost what was seen in serving.
std::unique_ptr<const Pricer> bind(const ContextAttention& op, const Binding& binding);

/// Silicon: the grid heads, batch, s, as the mean over five lengths from 0.9 s to 1.1 s (requests of a batch differ in
/// length); latencies below the speed of light are raised to it when the table is read.
std::unique_ptr<const Pricer> bind(const GenerationAttention& op, const Binding& binding);

}  // namespace perfatlas::aic
