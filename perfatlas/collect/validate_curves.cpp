// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "perfatlas/collect/validate_impl.h"

namespace perfatlas {
namespace {

struct CurvePoint {
  int64_t at = 0;
  double ms = 0;
  uint32_t row = 0;
};

/// Rows of one op as curves along each axis, all else equal.
class Curves {
 public:
  explicit Curves(const CheckedRows& rows) : rows_(rows), coordinates_(rows.op().axes.size()) {
    std::map<std::tuple<SliceKey, uint32_t, int64_t>, uint32_t> groups;
    for (size_t i = 0; i < rows.size(); ++i) {
      const FieldValues values = rows.values(i);
      group_.push_back(groups
                           .try_emplace({rows.op().slice_of(values), rows.kernel_code(i), rows.state(i)},
                                        uint32_t(groups.size()))
                           .first->second);
      for (size_t a = 0; a < coordinates_.size(); ++a)
        coordinates_[a].push_back(rows.op().axes[a].get(values));
    }
  }

  /// Calls `on_curve` with the points of each curve along the axis, in its order.
  template <class OnCurve>
  void along(size_t axis, const OnCurve& on_curve) const {
    std::vector<uint32_t> order(rows_.size());
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      if (const int side = compare_curves(axis, a, b); side != 0) return side < 0;
      const int64_t left = coordinates_[axis].at(a), right = coordinates_[axis].at(b);
      return left != right ? left < right : a < b;
    });
    std::vector<CurvePoint> points;
    for (size_t i = 0; i < order.size(); ++i) {
      points.push_back({coordinates_[axis].at(order[i]), rows_.latency_ms(order[i]), order[i]});
      if (i + 1 < order.size() && compare_curves(axis, order[i], order[i + 1]) == 0) continue;
      on_curve(points);
      points.clear();
    }
  }

 private:
  /// 0: both are on one curve along the axis.
  int compare_curves(size_t axis, uint32_t a, uint32_t b) const {
    if (group_[a] != group_[b]) return group_[a] < group_[b] ? -1 : 1;
    for (size_t other = 0; other < coordinates_.size(); ++other) {
      const uint32_t left = coordinates_[other].code(a), right = coordinates_[other].code(b);
      if (other != axis && left != right) return left < right ? -1 : 1;
    }
    return 0;
  }

  const CheckedRows& rows_;
  std::vector<uint32_t> group_;  // by row: slice, kernel, cache state and launch
  std::vector<CodedColumn> coordinates_;
};

/// Less time for more work is only strange when there is more work: not where an axis makes kernels skip some.
bool more_work(const CheckedRows& rows, const CurvePoint& small, const CurvePoint& large) {
  const Work a = rows.op().work(rows.values(small.row)), b = rows.op().work(rows.values(large.row));
  return b.flops >= a.flops && b.bytes() >= a.bytes();
}

struct CurveFindings {
  const ValidateLimits& limits;
  FindingBuilder drops, spikes;

  void look_at(const CheckedRows& rows, std::string_view axis, const std::vector<CurvePoint>& points) {
    for (size_t i = 1; i < points.size(); ++i) {
      const CurvePoint &before = points[i - 1], &here = points[i];
      if (here.at > before.at && before.ms >= limits.drop_floor_ms &&
          here.ms < limits.drop_below * before.ms && more_work(rows, before, here))
        drops.add(
            fmt::format("{}, {:.6g} ms at {} {}", row_text(rows, here.row), before.ms, axis, before.at));
      if (i + 1 == points.size()) continue;
      const double neighbours_ms = std::max(before.ms, points[i + 1].ms);
      if (here.ms >= limits.drop_floor_ms && here.ms > limits.spike_above * neighbours_ms)
        spikes.add(fmt::format("{}, neighbours along {} {:.6g} and {:.6g} ms", row_text(rows, here.row), axis,
                               before.ms, points[i + 1].ms));
    }
  }
};

}  // namespace

void check_curves(const std::vector<CheckedRows>& ops, const ValidateLimits& limits, ValidateReport& report) {
  CurveFindings found{limits, {"drop", limits.findings_per_check}, {"spike", limits.findings_per_check}};
  for (const CheckedRows& rows : ops) {
    const Curves curves(rows);
    for (size_t a = 0; a < rows.op().axes.size(); ++a)
      curves.along(a, [&](const std::vector<CurvePoint>& points) {
        found.look_at(rows, rows.op().axes[a].name, points);
      });
  }
  found.drops.finish(
      fmt::format("latencies below {:.0f} % of the previous point along an axis", 100 * limits.drop_below),
      false, report);
  found.spikes.finish(
      fmt::format("latencies above {:.3g} times both neighbours along an axis", limits.spike_above), false,
      report);
}

}  // namespace perfatlas
