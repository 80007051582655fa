// SPDX-License-Identifier: Apache-2.0
// The peaks of a published system description, as speeds of light use them.
#pragma once

#include <optional>
#include <string>

#include "perfatlas/aic/quant_mode.h"
#include "perfatlas/tables/aic_system.h"

namespace perfatlas::aic {

/// FLOP/s; nothing when the description has none for this type.
std::optional<double> peak_flops(const AicSystem& system, MathType math);
inline std::optional<double> peak_flops(const AicSystem& system, QuantMode mode) {
  return peak_flops(system, profile_of(mode).math);
}

/// "b60.yaml has no fp4_tc_flops ...".
std::string why_no_peak(const AicSystem& system, MathType math);

/// Decode attention multiplies in 8 bits when the cache is stored so and the GPU can (from generation 89 on).
MathType decode_math(const AicSystem& system, QuantMode kv_quant);

/// Time of an op that only moves bytes: at the reachable share of the bandwidth, plus the launch.
double memory_op_ms(const AicSystem& system, double bytes);

}  // namespace perfatlas::aic
