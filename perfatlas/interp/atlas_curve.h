// SPDX-License-Identifier: Apache-2.0
// A monotone cubic between logarithms: latency over message size bends smoothly over many octaves.
#pragma once

#include <span>
#include <vector>

namespace perfatlas {

/// Piecewise cubic Hermite interpolation of ln y over ln x with the slopes of Fritsch and Butland (1984): weighted
/// harmonic means of neighbouring secants, 0 at turning points, so that no value lies outside its bracket.
class LogCurve {
 public:
  LogCurve() = default;
  /// REQUIRES: x ascending and positive, y positive, sizes equal and at least 2.
  LogCurve(std::span<const double> x, std::span<const double> y);

  /// REQUIRES: x lies between the first and the last x.
  double at(double x) const;
  bool empty() const { return x_.empty(); }

 private:
  std::vector<double> x_, y_, slope_;  // of the logarithms
};

}  // namespace perfatlas
