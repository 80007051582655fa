// SPDX-License-Identifier: Apache-2.0
// All measured points of one family (SizeSpace::family_of) as one kriged field of ln(latency) over a speed-of-light
// mean: reads sparse collections better than interpolation along axes, because every size and shape near the question
// counts. Evidence: docs/small-plan.md.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "perfatlas/interp/local_kriging.h"
#include "perfatlas/interp/size_space.h"
#include "perfatlas/interp/slice.h"

namespace perfatlas {

/// An expected latency of any case of the family, in ln(ms); nothing where it is unknown.
using LogMean = std::function<std::optional<double>(const FieldValues&)>;

/// Immutable once made; may be asked from many threads at once. A question takes 5 to 20 microseconds.
class KrigedFamily {
 public:
  /// The mean is ln(speed of light + launch floor), the floor being the first percentile of the latencies; without a
  /// machine in `context` the floor alone. Scales, nugget and covariance are tuned by leaving points and their twins
  /// out; points that contradict their neighbours lose weight.
  /// REQUIRES: at least one point; all of one family; op and the context's system outlive this.
  KrigedFamily(const OpType& op, std::span<const SlicePoint> points, SolContext context);
  /// With a mean of one's own (an older table); points it does not know do not count.
  KrigedFamily(const OpType& op, std::span<const SlicePoint> points, LogMean mean);

  /// Nothing only where the mean is unknown.
  std::optional<KrigedValue> log_latency(const FieldValues& values) const;
  std::optional<double> latency_ms(const FieldValues& values) const;

  /// Score of the tuned settings: mean of min(|e|, 0.7) plus half the 90th percentile of |e|, e = residuals left out.
  double score() const { return score_; }
  /// Points that the mean knows.
  size_t known_points() const { return residuals_.size(); }
  /// 1.48 times the median of |e|: the usual deviation, whatever the outliers. Nothing below eight points.
  std::optional<double> sigma() const { return sigma_; }
  /// Indices of points that contradict their neighbours, with what those say, in ms.
  struct Contradicted {
    uint32_t point = 0;
    double expected_ms = 0;
  };
  const std::vector<Contradicted>& contradicted() const { return contradicted_; }

 private:
  /// What tuning changes.
  struct Settings {
    LocalKrigingSettings kriging;
    std::vector<double> scale_factors;  // by axis of the space
  };

  void take(std::span<const SlicePoint> points);
  LocalKriging make_field(const Settings& settings) const;
  double score_of(const Settings& settings) const;
  void tune();
  void doubt_outliers();
  std::vector<double> position(const FieldValues& values, const Settings& settings) const;

  SizeSpace space_;
  LogMean mean_;
  std::vector<double> octaves_;  // base coordinates, points x axes
  std::vector<double> residuals_, means_;
  std::vector<uint32_t> source_;  // index of the point a residual came from
  std::vector<double> nugget_factors_;
  Settings settings_;
  std::optional<LocalKriging> field_;  // once tuned
  double score_ = 0;
  std::optional<double> sigma_;
  std::vector<Contradicted> contradicted_;
};

}  // namespace perfatlas
