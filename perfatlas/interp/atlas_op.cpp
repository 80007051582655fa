// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/atlas_op.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/interp/atlas_polynomial.h"

namespace perfatlas {

SolParts sol_parts(const OpType& op, const FieldValues& values, const SolContext& context) {
  if (context.system == nullptr) return {};
  const auto bound = speed_of_light(op.work(values), *context.system, context.cache);
  if (!bound) return {};
  return {bound->math_ms, std::max(bound->memory_ms, bound->llc_ms)};
}

SolLaw sol_law(const OpType& op, const FieldValues& prototype, const SolContext& context,
               std::span<const MeasuredPoint> points) {
  if (context.system == nullptr || !(sol_parts(op, prototype, context).bound_ms() > 0)) return {};
  const SolLaw exact = [&op, prototype, context](const double* at) {
    FieldValues there = prototype;
    for (size_t d = 0; d < op.axes.size(); ++d) {
      const AxisType& axis = op.axes[d];
      if (axis.field)  // as set() does, ten times faster
        there[*axis.field] = std::llround(at[d]);
      else
        axis.set(there, std::llround(at[d]));
    }
    return sol_parts(op, there, context);
  };
  std::array<double, kMaxAxes> low{}, high{};
  for (size_t d = 0; d < op.axes.size(); ++d) {
    low[d] = high[d] = double(points[0].at[d]);
    for (const MeasuredPoint& point : points) {
      low[d] = std::min(low[d], double(point.at[d]));
      high[d] = std::max(high[d], double(point.at[d]));
    }
  }
  return as_polynomial(exact, op.axes.size(), low, high);
}

}  // namespace perfatlas
