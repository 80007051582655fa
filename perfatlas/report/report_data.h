// SPDX-License-Identifier: Apache-2.0
// What a collection folder says, gathered for showing: the newest record of every case, runs, re-runs and damage.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/collect/journal.h"
#include "perfatlas/hw/sol.h"
#include "perfatlas/hw/system_spec.h"

namespace perfatlas {

/// When a row is worth a second look.
inline constexpr double kNoisyRelCi95 = 0.05;  // half-width of the interval of the median above 5 %
inline constexpr double kSpikeRatio =
    1.4;  // off the line through its neighbours along an axis by this factor
inline constexpr double kDriftDeviation = 0.10;  // measured again and more than 10 % off

/// A measured case. REQUIRES: record.row.
struct ReportRow {
  CaseRecord record;  // without samples, which stay in the journal
  std::optional<SpeedOfLight> sol;
  std::optional<double> efficiency;     // as recorded with the row, else from `sol`
  std::vector<std::string> suspicions;  // one phrase each; empty: nothing strange
};

struct ReportRerun {
  RerunRecord record;
  double deviation = 0;  // again / first - 1
};

struct OpReport {
  const OpType* op = nullptr;
  std::map<Outcome, uint64_t> outcomes;
  std::vector<ReportRow> rows;  // by slice and axes
};

/// Skipped cases of one op for one reason.
struct SkipGroup {
  std::string op, reason, example_repro;
  uint64_t cases = 0;
};

struct ReportRun {
  RunRecord run;
  std::optional<EndRecord> end;  // absent: killed, or still running
};

struct ReportData {
  std::string folder;  // its name without the path
  std::optional<SystemSpec> system;
  std::vector<ReportRun> runs;       // oldest first
  std::vector<OpReport> ops;         // in registry order; those with records only
  std::vector<CaseRecord> failures;  // failed, crashed, timed out
  std::vector<SkipGroup> skips;      // most cases first
  std::vector<ReportRerun> reruns;   // largest deviation first
  std::vector<BreakerRecord> breakers;
  std::vector<DamagedLine> damaged;
  std::vector<std::string> notes;  // what is missing and what that means
};

/// Reads every journal of the folder, and its system.json (without one: the description in the newest run record).
/// `ops` must outlive the result. Throws Error when the folder has no journal or cannot be read.
ReportData gather_report(const std::string& folder, const OpRegistry& ops);

/// Fills `suspicions` of every row: faster than the speed of light, noisy, throttled, a spike along one of the op's
/// axis fields, or drifted when measured again.
void mark_suspicious(OpReport& op, const std::vector<ReportRerun>& reruns);

}  // namespace perfatlas
