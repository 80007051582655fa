// SPDX-License-Identifier: Apache-2.0
// Steps that kernels make (another tile, another split) found by halving. Pays only where steps are sharp and many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace perfatlas {

/// One measured size of a curve. The residual is ln(latency) minus what a smooth law says.
struct CurvePoint {
  int64_t size = 0;
  double residual = 0;
};

struct KneeProbe {
  int64_t size = 0;
  double step = 0;  // |difference of residuals| between the measured neighbours
};

/// The size to measure next between the adjacent measured pair of the largest |difference of residuals|, of equals the
/// smaller sizes: the legal size between them nearest to their middle in octaves, of equals the smaller. Nothing when
/// no pair that differs by more than `threshold` has a legal size in between.
/// REQUIRES: `measured` and `legal` ascend strictly.
std::optional<KneeProbe> next_knee_probe(std::span<const CurvePoint> measured, std::span<const int64_t> legal,
                                         double threshold);

}  // namespace perfatlas
