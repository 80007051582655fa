// SPDX-License-Identifier: Apache-2.0
// Scattered points: local kriging of what is left of latency after its speed of light, for slices whose points fill too
// little of their box to be read as a grid.
#pragma once

#include <array>
#include <span>
#include <utility>
#include <vector>

#include "perfatlas/interp/atlas_slice.h"
#include "perfatlas/interp/local_kriging.h"

namespace perfatlas {

/// How alike two points are. Distances are octaves over `length` per axis.
struct KrigingSettings {
  LocalKrigingSettings kriging;
  std::array<double, kMaxAxes> length{1.5, 1.5, 1.5, 1.5};
};

/// What a slice learns from its points: worth keeping, because it takes most of the time of making one.
struct KrigingTuning {
  KrigingSettings settings;
  BarWidths width_per_deviation{0.67f, 1.28f, 1.96f};  // 50, 80 and 95 %
  std::vector<std::pair<uint32_t, double>> doubts;     // points that the others contradict, and how much
};

/// mean = ln(speed of light + launch floor), floor = the first percentile of the latencies; the residual at a question
/// is kriged from the nearest points (LocalKriging), distances being octaves over a length per axis. Points that the
/// others contradict by four times the usual residual lose their weight.
///
/// Settings are tuned once by leave-one-out over up to 300 points. Immutable once made; may be asked from many threads
/// at once; asking allocates nothing.
class KrigingSlice {
 public:
  /// Without a speed of light the mean is the launch floor alone, and only the hull is answered.
  /// REQUIRES: at least one point; coordinates distinct; latencies positive.
  /// `tuning`: what an earlier slice of the same points and speed of light learnt; else it is learnt here.
  KrigingSlice(size_t axes, std::span<const MeasuredPoint> points, SolLaw sol,
               const KrigingTuning* tuning = nullptr);

  /// Interpolated inside the box of the points, held beyond it. Widths are the kriging deviation, scaled so that they
  /// cover the leave-outs of this slice.
  AtlasEstimate estimate(const double* at) const;

  /// The points behind an estimate: the kriging weights as shares, without their sign.
  std::vector<Support> support(const double* at) const;

  KrigingTuning tuning() const;

 private:
  std::array<double, kMaxAxes> position_of(const double* at) const;
  double mean_at(const double* at) const;
  LocalKriging make_field(const KrigingSettings& settings) const;
  struct LeftOut {
    std::vector<double> errors, deviations;  // by point that was left out
    double score = 0;                        // mean of min(|e|, 0.7) plus half the 90th percentile of |e|
  };
  LeftOut leave_one_out(const LocalKriging& field, size_t step) const;
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
  std::vector<uint32_t> sorted_;  // points by coordinates
  std::array<double, kMaxAxes> low_{}, high_{};
  BarWidths width_per_deviation_{0.67f, 1.28f, 1.96f};
  std::optional<LocalKriging> field_;  // once tuned
};

}  // namespace perfatlas
