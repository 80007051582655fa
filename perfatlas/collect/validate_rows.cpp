// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "perfatlas/collect/validate_impl.h"
#include "perfatlas/interp/leave_one_out.h"

namespace perfatlas {
namespace {

/// The widest relative interval of the measured peaks that may bound a case: it widens the speed of light itself.
double peaks_interval(const Row& row, const std::optional<SystemSpec>& system) {
  if (!system) return 0;
  double widest = std::max(system->memory_bandwidth.measured_rel_ci95.value_or(0),
                           system->llc_bandwidth.measured_rel_ci95.value_or(0));
  const auto math = system->flops.find(row.c.op->work(row.c.values).math);
  if (math != system->flops.end()) widest = std::max(widest, math->second.measured_rel_ci95.value_or(0));
  return widest;
}

/// Calls `on_row` with each row as a Row and whether it is suspect.
template <class OnRow>
void for_each_row(const std::vector<CheckedRows>& ops, const OnRow& on_row) {
  Row row;
  for (const CheckedRows& rows : ops)
    for (size_t i = 0; i < rows.size(); ++i) {
      rows.get(i, row);
      on_row(std::as_const(row), rows.suspect(i));
    }
}

void check_efficiency(const std::vector<CheckedRows>& rows, const ValidateRequest& request,
                      ValidateReport& report) {
  FindingBuilder above("above light", request.limits.findings_per_check);
  std::map<const OpType*, std::pair<uint64_t, uint64_t>> counts;  // above, all
  for_each_row(rows, [&](const Row& row, bool) {
    if (!row.quality || !row.quality->efficiency) return;
    const double own = std::isfinite(row.quality->rel_ci95) ? row.quality->rel_ci95 : 0;
    const double most = 1 + peaks_interval(row, request.system) + own;
    auto& [too_fast, all] = counts[row.c.op];
    ++all;
    if (*row.quality->efficiency <= most) return;
    ++too_fast;
    above.add(
        fmt::format("{}, efficiency {:.3f} (at most {:.3f})", row_text(row), *row.quality->efficiency, most));
  });
  const bool fails = std::any_of(counts.begin(), counts.end(), [&](const auto& entry) {
    return double(entry.second.first) > request.limits.above_light_share * double(entry.second.second);
  });
  above.finish(fmt::format("rows faster than the speed of light (at most {:.0f} % of an op may)",
                           100 * request.limits.above_light_share),
               fails, report);
}

void check_noise(const std::vector<CheckedRows>& rows, const ValidateLimits& limits, ValidateReport& report) {
  std::map<std::string_view, std::vector<double>> intervals;
  std::map<std::string_view, NoiseFigures> figures;
  FindingBuilder noisy("noisy", limits.findings_per_check), throttled("throttled", limits.findings_per_check),
      suspect("suspect", limits.findings_per_check);
  for_each_row(rows, [&](const Row& row, bool is_suspect) {
    if (!row.quality) return;
    NoiseFigures& entry = figures[row.c.op->info.id];
    ++entry.rows;
    intervals[row.c.op->info.id].push_back(row.quality->rel_ci95);
    if (row.quality->rel_ci95 > limits.noisy_rel_ci95) {
      ++entry.noisy;
      noisy.add(fmt::format("{}, interval {:.1f} %", row_text(row), 100 * row.quality->rel_ci95));
    }
    if (row.quality->throttled) ++entry.throttled, throttled.add(row_text(row));
    if (is_suspect) ++entry.suspect, suspect.add(row_text(row));
  });
  for (auto& [op, entry] : figures) {
    entry.op = op;
    std::vector<double>& own = intervals[op];
    entry.p50 = error_quantile(own, 0.50);
    entry.p95 = error_quantile(std::move(own), 0.95);
    report.noise.push_back(entry);
  }
  noisy.finish(fmt::format("rows with a 95 % interval above {:.0f} %", 100 * limits.noisy_rel_ci95), false,
               report);
  throttled.finish("rows measured while the device throttled", false, report);
  suspect.finish("rows that stayed faster than the speed of light when measured again", false, report);
}

}  // namespace

void check_rows(const std::vector<CheckedRows>& rows, const ValidateRequest& request,
                ValidateReport& report) {
  FindingBuilder bad("not positive", request.limits.findings_per_check);
  for (const CheckedRows& op_rows : rows)
    for (size_t i = 0; i < op_rows.size(); ++i)
      if (const double ms = op_rows.latency_ms(i); !(ms > 0) || !std::isfinite(ms))
        bad.add(row_text(op_rows, i));
  bad.finish("latencies that are not positive numbers", true, report);
  check_efficiency(rows, request, report);
  check_noise(rows, request.limits, report);
}

}  // namespace perfatlas
