// SPDX-License-Identifier: Apache-2.0
// Can these measurements be trusted? Checks of whole collection folders.
//
// What fails: cases that a finished collection should have decided and did not; a collection that was killed,
// interrupted or gave an op up; a sub-kernel without rows; two rows of one identity in a staging table; a latency that
// is not positive; a share of failures, of rows faster than light, or of deviating re-runs above its limit.
// What only warns: single failures, cases left by a budget, drops and spikes along an axis, noisy, throttled and
// suspect rows, damaged journal lines.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/collect/journal.h"
#include "perfatlas/collect/plan.h"
#include "perfatlas/hw/system_spec.h"

namespace perfatlas {

/// Every threshold, with its origin.
struct ValidateLimits {
  // Published tables are checked with these three: a drop below 0.7 of the previous point along an axis (ignored when
  // the larger of the two is under 0.03 ms), a spike above 3 times both neighbours.
  double drop_below = 0.7;
  double drop_floor_ms = 0.03;
  double spike_above = 3;
  // Published practice: single failures are accepted, 10 % are looked at.
  double failure_share = 0.10;
  // Efficiency above 1 + the intervals of the peaks and of the row. Single rows can be quiet luck of the cache state;
  // more than 1 % of an op mean that its work() or the peaks are wrong.
  double above_light_share = 0.01;
  // A row is called noisy above this relative interval: five times the 1 % that the median re-run deviates by in
  // published tables.
  double noisy_rel_ci95 = 0.05;
  // Re-runs: "less than 10 % deviation" is the promise; published tables break it for 1 to 24 % of their points.
  double rerun_deviation = 0.10;
  double rerun_share = 0.25;
  size_t rerun_cases = 20;
  uint64_t rerun_seed = 7;
  size_t leave_one_out_points = 200;  // per slice
  // Of a larger slice so many evenly spread points stand for all: its leave-one-out figure is then an upper bound.
  size_t leave_one_out_slice = 200'000;
  size_t findings_per_check = 20;  // listed one by one; all are counted
};

struct ValidateRequest {
  std::vector<std::string> collections;  // folders
  const Plan* plan = nullptr;            // null: expected counts per op are unknown, only totals are compared
  std::optional<SystemSpec> system;      // for the peaks' intervals and the interpolation figure
  ValidateLimits limits;
  /// Measures the case of a row again, with its kernel and cache state: milliseconds, or nothing when it could not.
  /// Empty: no re-runs.
  std::function<std::optional<double>(const Row&)> measure_again;
};

/// One op's cases by what became of them.
struct OpCounts {
  std::string op;
  std::optional<uint64_t> expected;      // in the plan
  std::map<Outcome, uint64_t> outcomes;  // final records
  uint64_t rows = 0;                     // row identities
  uint64_t missing = 0;                  // planned, not decided
};

/// Relative 95 % intervals of an op's rows.
struct NoiseFigures {
  std::string op;
  uint64_t rows = 0;
  double p50 = 0, p95 = 0;
  uint64_t noisy = 0, throttled = 0, suspect = 0;
};

/// Leave-one-out over an op's rows: how well interpolation finds a measured point from the others.
struct LeaveOneOutFigures {
  std::string op, kernel, cache_state;
  uint64_t points = 0, misses = 0;
  double p50 = 0, p90 = 0, max = 0;  // relative error
};

/// Of an op with batch and sequence: slowest over fastest row among those that share all fields but these two, and
/// their product. Near 1 means token-equivalent; well above, that batch and sequence must be axes of their own.
struct TokenSpread {
  std::string op;
  uint64_t groups = 0;
  double p50 = 0, max = 0;
};

struct Finding {
  std::string check;  // "missing", "above light", "spike", ...
  bool fails = false;
  uint64_t count = 0;
  std::string summary;                // one line with the limit that was applied
  std::vector<std::string> examples;  // case and figures, one line each
};

struct ValidateReport {
  std::vector<OpCounts> counts;
  std::vector<NoiseFigures> noise;
  std::vector<LeaveOneOutFigures> leave_one_out;
  std::vector<TokenSpread> token_spread;  // of ops with at least one such group
  std::optional<DriftFigures> rerun;      // of measure_again
  std::optional<DriftFigures> drift;      // of the collections' own re-runs
  std::vector<Finding> findings;

  bool passed() const;
  std::string text() const;
  /// One object on one line.
  std::string json() const;
};

/// Streams the folders: memory is some sixty bytes per row and case, and of one op at a time what sorting its rows
/// takes. Throws what read_validate_input throws: unreadable folders and tables are errors, not findings. So is a
/// collection that recorded nothing at all.
ValidateReport validate(const OpRegistry& ops, const ValidateRequest& request);

}  // namespace perfatlas
