// SPDX-License-Identifier: Apache-2.0
// How far a prediction can be trusted, from what is known about its kind.
#pragma once

#include <string_view>

#include "perfatlas/serving/simulation.h"

namespace perfatlas {

/// Classes of docs/serving-accuracy.md, with the median errors of predictions of each class on the dev half of the
/// published serving measurements.
struct Confidence {
  char letter = 'A';
  std::string_view why;
  double ttft_median_error = 0;  // relative, of the mean TTFT
  double tpot_median_error = 0;
};

/// From the strongest doubt down: D KV-bound, C constant lengths without known launch parameters, B transferred prices
/// or attention DP, A everything else. An unknown launch command with varying lengths is class C as well.
Confidence confidence_of(const AggregatedCase& served, const SimulationResult& result);
/// Disaggregated pools: one class, whatever the inputs.
Confidence confidence_of(const DisaggregatedCase& served);

}  // namespace perfatlas
