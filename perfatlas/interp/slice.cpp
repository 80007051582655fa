// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/slice.h"

#include <map>
#include <set>

#include "perfatlas/base/error.h"

namespace perfatlas {

Coordinates coordinates_of(const OpType& op, const FieldValues& values) {
  Coordinates at{};
  for (size_t i = 0; i < op.axes.size(); ++i)
    at[i] = op.axes[i].field ? values[*op.axes[i].field] : op.axes[i].get(values);
  return at;
}

double sol_ms(const OpType& op, const FieldValues& values, const SolContext& context) {
  if (context.system == nullptr) return 0;
  const auto bound = speed_of_light(op.work(values), *context.system, context.cache);
  return bound ? bound->ms() : 0;
}

SolFunction sol_along_axes(const OpType& op, const FieldValues& values, const SolContext& context) {
  if (context.system == nullptr) return {};
  return [&op, values, context](const Coordinates& at) {
    FieldValues there = values;
    for (size_t i = 0; i < op.axes.size(); ++i) op.axes[i].set(there, at[i]);
    return sol_ms(op, there, context);
  };
}

Slice::Slice(const OpType& op, std::span<const SlicePoint> points, SolContext context)
    : op_(&op), context_(context), layout_(axis_layout(op)) {
  PERFATLAS_ASSERT(!points.empty());
  prototype_ = points[0].values;
  points_.reserve(points.size());
  for (const SlicePoint& point : points) {
    MeasuredPoint measured{coordinates_of(op, point.values), point.latency_ms, point.energy_mj};
    if (op.layout.clamp_to_sol) {
      const double bound = sol_ms(op, point.values, context);
      if (measured.latency_ms < bound) {
        measured.latency_ms = bound;
        raised_.resize(points.size());
        raised_[points_.size()] = true;
      }
    }
    points_.push_back(measured);
  }
  interpolator_ = make_interpolator(layout_, points_);
}

Estimate Slice::estimate(const FieldValues& values) const {
  const SolFunction sol = sol_along_axes(*op_, values, context_);
  return interpolator_->estimate({.at = coordinates_of(*op_, values), .sol = sol});
}

std::vector<Residual> Slice::leave_one_out(size_t most) const {
  const SolFunction sol = sol_along_axes(*op_, prototype_, context_);
  return perfatlas::leave_one_out(*interpolator_, points_, sol, most);
}

std::vector<Residual> Slice::leave_edges_out(size_t most) const {
  const SolFunction sol = sol_along_axes(*op_, prototype_, context_);
  return perfatlas::leave_edges_out(layout_, points_, sol, most);
}

std::vector<Residual> leave_one_out_by_slice(const OpType& op, std::span<const SlicePoint> rows,
                                             SolContext context, size_t most_per_slice) {
  std::map<SliceKey, std::vector<SlicePoint>> slices;
  std::map<SliceKey, std::set<Coordinates>> places;
  for (const SlicePoint& row : rows) {
    const SliceKey key = op.slice_of(row.values);
    if (places[key].insert(coordinates_of(op, row.values)).second) slices[key].push_back(row);
  }
  std::vector<Residual> all;
  for (const auto& [key, points] : slices) {
    if (points.size() < 2) continue;
    const std::vector<Residual> residuals = Slice(op, points, context).leave_one_out(most_per_slice);
    all.insert(all.end(), residuals.begin(), residuals.end());
  }
  return all;
}

}  // namespace perfatlas
