// SPDX-License-Identifier: Apache-2.0
// Rows that are many times too slow exist in every large table. A point that its neighbours do not believe is measured
// again at once, in a fresh process.
#pragma once

#include <span>
#include <vector>

namespace perfatlas {

/// |ln(measured / predicted)| is above 0.15 and above four times the usual deviation: `sigma` = 1.48 median |e|.
/// REQUIRES: both latencies > 0.
bool looks_like_hiccup(double measured_ms, double predicted_ms, double sigma);

/// 1.48 times the median of |e|: the standard deviation of normal errors, whatever the outliers. 0 without errors.
double robust_sigma(std::vector<double> errors);

/// The first two measurements of a point differ by more than 10 %: a third one decides.
bool needs_third(double first_ms, double second_ms);

/// The latency to keep: the middle one; of an even number the faster of both, since whatever disturbs a kernel makes it
/// slower. Returns its index. REQUIRES: at least one latency.
size_t kept_measurement(std::span<const double> latencies_ms);

}  // namespace perfatlas
