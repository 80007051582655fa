// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/atlas_op.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/interp/atlas_polynomial.h"

namespace perfatlas {
namespace {

SolParts parts_of(const std::optional<SpeedOfLight>& bound) {
  if (!bound) return {};
  return {bound->math_ms, std::max(bound->memory_ms, bound->llc_ms)};
}

/// std::llround without a call. REQUIRES: 0 <= x < 2^63.
int64_t nearest_integer(double x) {
  const auto below = int64_t(x);
  return below + (x - double(below) >= 0.5);
}

/// The speed of light by the op's own declaration.
class DeclaredLaw {
 public:
  DeclaredLaw(const OpType& op, const FieldValues& prototype, const SolContext& context)
      : axes_(op.axes.size()),
        work_(op.work_along(prototype)),
        peaks_(*context.system),
        cache_(context.cache) {}

  SolParts operator()(const double* at) const {
    std::array<int64_t, kMaxAxes> place;  // as far as there are axes
    for (size_t d = 0; d < axes_; ++d) place[d] = nearest_integer(at[d]);
    return parts_of(speed_of_light(work_(place.data()), peaks_, cache_));
  }

 private:
  size_t axes_;
  std::function<Work(const int64_t* at)> work_;
  PeakRates peaks_;
  CacheState cache_;
};

}  // namespace

SolParts sol_parts(const OpType& op, const FieldValues& values, const SolContext& context) {
  if (context.system == nullptr) return {};
  return parts_of(speed_of_light(op.work(values), *context.system, context.cache));
}

SolLaw sol_law(const OpType& op, const FieldValues& prototype, const SolContext& context,
               std::span<const MeasuredPoint> points) {
  if (context.system == nullptr || !(sol_parts(op, prototype, context).bound_ms() > 0)) return {};
  std::array<double, kMaxAxes> low{}, high{};
  for (size_t d = 0; d < op.axes.size(); ++d) {
    low[d] = high[d] = double(points[0].at[d]);
    for (const MeasuredPoint& point : points) {
      low[d] = std::min(low[d], double(point.at[d]));
      high[d] = std::max(high[d], double(point.at[d]));
    }
  }
  return as_polynomial(DeclaredLaw(op, prototype, context), op.axes.size(), low, high);
}

}  // namespace perfatlas
