// SPDX-License-Identifier: Apache-2.0
// Scattered points: local kriging of what is left of latency after its speed of light, for slices whose points fill too
// little of their box to be read as a grid.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "perfatlas/interp/atlas_slice.h"

namespace perfatlas {

/// How alike two points are. Distances are in octaves over `length` per axis.
struct KrigingSettings {
  std::array<double, kMaxAxes> length{1.5, 1.5, 1.5, 1.5};
  double nugget = 0.03;  // variance of one row, in units of the field's
  double trend = 1.35;   // variance of a local slope
  bool rough = false;    // Matern 3/2 instead of 5/2
};

/// mean = ln(speed of light + launch floor), floor = the first percentile of the latencies; the residual at a question is
/// that of the 24 nearest points, weighted by simple kriging with an unknown mean and slope. Points that the others
/// contradict by four times the usual residual lose their weight.
///
/// Settings are tuned once by leave-one-out over up to 300 points. Immutable once made; may be asked from many threads
/// at once; asking allocates nothing.
class KrigingSlice {
 public:
  /// Without a speed of light the mean is the launch floor alone, and only the hull is answered.
  /// REQUIRES: at least one point; coordinates distinct; latencies positive.
  KrigingSlice(size_t axes, std::span<const MeasuredPoint> points, SolLaw sol);

  /// Interpolated inside the box of the points, held beyond it. Widths are the kriging deviation, scaled so that they
  /// cover the leave-outs of this slice.
  AtlasEstimate estimate(const double* at) const;

  /// The points behind an estimate: the kriging weights as shares, without their sign.
  std::vector<Support> support(const double* at) const;

  const KrigingSettings& settings() const { return settings_; }

 private:
  static constexpr size_t kNearest = 24;
  struct Neighbours;
  struct Answer {
    double residual = 0, deviation = 0;
  };

  size_t leading_axis() const;
  std::array<double, kMaxAxes> octaves_of(const double* at) const;
  double mean_at(const double* at) const;
  void find_nearest(const std::array<double, kMaxAxes>& u, uint32_t without, Neighbours& found) const;
  Answer krige(const std::array<double, kMaxAxes>& u, const Neighbours& near, double* weights) const;
  double leave_one_out(size_t step, std::vector<double>* errors, std::vector<double>* deviations) const;
  void tune();
  void doubt_outliers();
  void calibrate();
  const uint32_t* exact(const double* at) const;

  size_t axes_;
  SolLaw sol_;
  KrigingSettings settings_;
  double floor_ms_ = 0;
  std::vector<std::array<double, kMaxAxes>> octaves_;  // per point
  std::vector<double> residual_, doubt_;               // per point; doubt multiplies the nugget
  std::vector<double> latency_ms_, power_w_;
  std::vector<Coordinates> at_;
  std::vector<uint32_t> sorted_;   // points by coordinates
  std::vector<uint32_t> by_lead_;  // points along the axis lead_
  size_t lead_ = 0;
  std::array<double, kMaxAxes> low_{}, high_{};
  BarWidths width_per_deviation_{0.67f, 1.28f, 1.96f};
};

}  // namespace perfatlas
