// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "perfatlas/collect/validate_impl.h"

namespace perfatlas {
namespace {

/// Rows that differ along one axis only.
using CurveKey = std::tuple<std::string_view, size_t, SliceKey, std::string, int, std::vector<int64_t>>;

struct CurvePoint {
  int64_t at = 0;
  double ms = 0;
  const Row* row = nullptr;
};

int state_of(const Row& row) {
  return row.quality ? int(row.quality->cache_state) * 8 + int(row.quality->launch) : -1;
}

std::map<CurveKey, std::vector<CurvePoint>> curves_of(const std::vector<const MeasuredRow*>& rows) {
  std::map<CurveKey, std::vector<CurvePoint>> curves;
  for (const MeasuredRow* measured : rows) {
    const Row& row = measured->row;
    const OpType& op = *row.c.op;
    std::vector<int64_t> at;
    for (const AxisType& axis : op.axes) at.push_back(axis.get(row.c.values));
    for (size_t a = 0; a < op.axes.size(); ++a) {
      std::vector<int64_t> others = at;
      others.erase(others.begin() + ptrdiff_t(a));
      curves[{op.info.id, a, op.slice_of(row.c.values), row.kernel_source, state_of(row), std::move(others)}]
          .push_back({at[a], latency_ms(row), &row});
    }
  }
  for (auto& [key, points] : curves)
    std::sort(points.begin(), points.end(),
              [](const CurvePoint& a, const CurvePoint& b) { return a.at < b.at; });
  return curves;
}

/// Less time for more work is only strange when there is more work: not where an axis makes kernels skip some.
bool more_work(const CurvePoint& small, const CurvePoint& large) {
  const Work a = small.row->c.op->work(small.row->c.values), b = large.row->c.op->work(large.row->c.values);
  return b.flops >= a.flops && b.bytes() >= a.bytes();
}

}  // namespace

void check_curves(const std::vector<const MeasuredRow*>& rows, const ValidateLimits& limits,
                  ValidateReport& report) {
  FindingBuilder drops("drop", limits.findings_per_check), spikes("spike", limits.findings_per_check);
  for (const auto& [key, points] : curves_of(rows)) {
    const std::string_view axis = points[0].row->c.op->axes[std::get<1>(key)].name;
    for (size_t i = 1; i < points.size(); ++i) {
      const CurvePoint &before = points[i - 1], &here = points[i];
      if (here.at > before.at && before.ms >= limits.drop_floor_ms &&
          here.ms < limits.drop_below * before.ms && more_work(before, here))
        drops.add(fmt::format("{}, {:.6g} ms at {} {}", row_text(*here.row), before.ms, axis, before.at));
      if (i + 1 == points.size()) continue;
      const double neighbours_ms = std::max(before.ms, points[i + 1].ms);
      if (here.ms >= limits.drop_floor_ms && here.ms > limits.spike_above * neighbours_ms)
        spikes.add(fmt::format("{}, neighbours along {} {:.6g} and {:.6g} ms", row_text(*here.row), axis,
                               before.ms, points[i + 1].ms));
    }
  }
  drops.finish(
      fmt::format("latencies below {:.0f} % of the previous point along an axis", 100 * limits.drop_below),
      false, report);
  spikes.finish(fmt::format("latencies above {:.3g} times both neighbours along an axis", limits.spike_above),
                false, report);
}

}  // namespace perfatlas
