// SPDX-License-Identifier: Apache-2.0
// Journal first, then everything that is derived from it while a collection runs: counts, staging tables, observer.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "perfatlas/collect/supervisor.h"

namespace perfatlas {

class Recorder {
 public:
  using Clock = std::chrono::steady_clock;

  /// `summary` receives the counts. REQUIRES: all arguments outlive this.
  Recorder(const CollectOptions& options, const OpRegistry& ops, CollectObserver& observer,
           CollectSummary& summary);

  const std::string& run_id() const { return summary_.run_id; }
  bool begun() const { return journal_.has_value(); }
  /// Creates the journal with its run record.
  void begin(const RunRecord& run);
  /// REQUIRES (these five): begun().
  void record(const CaseRecord& record);
  void record(const RerunRecord& record) { append(record); }
  void record(const BreakerRecord& record);
  void record(const AuditRecord& record);
  void end(const EndRecord& record);

  /// Flushes and rewrites tables when it is time. Call it often.
  void housekeeping();
  /// When housekeeping() wants to be called at the latest.
  std::chrono::milliseconds patience() const;
  void write_tables();

 private:
  void append(const JournalRecord& record);

  const CollectOptions& options_;
  const OpRegistry& ops_;
  CollectObserver& observer_;
  CollectSummary& summary_;
  std::optional<JournalWriter> journal_;
  bool tables_stale_ = false;
  Clock::time_point tables_due_;
};

}  // namespace perfatlas
