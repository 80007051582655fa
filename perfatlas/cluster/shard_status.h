// SPDX-License-Identifier: Apache-2.0
// How a collection by many machines stands, from its journals alone: nothing else is shared, nobody is asked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "perfatlas/collect/journal.h"
#include "perfatlas/collect/supervisor.h"

namespace perfatlas {

/// One folder that one machine at a time collects into.
struct ShardLane {
  std::string folder;
  Shard shard;
  std::string host, device;  // of the newest run
  uint64_t planned = 0;      // cases of the shard (of a piece: of the piece, with what was decided before)
  uint64_t done = 0;         // with a final record in this folder
  OutcomeCounts outcomes;    // of those
  uint64_t runs = 0;         // starts of the supervisor
  uint64_t damaged = 0;      // lines that are no records
  std::optional<double> rate_per_s;  // decided cases of the newest run over its time so far
  std::optional<double> quiet_s;     // since the newest record, by the clock of whoever asks
  std::string end;                   // why the newest run ended; empty: it runs or was killed
};

struct FailureCount {
  std::string reason;
  uint64_t cases = 0;
  std::string repro;  // of one of them
};

struct ShardStatus {
  std::string plan_kind, backend, backend_version;
  uint64_t plan_hash = 0;
  uint64_t shards = 1;
  uint64_t total = 0;     // cases of the plan
  uint64_t done = 0;      // decided by anyone, each counted once
  uint64_t repeated = 0;  // decided by two lanes or more: overlapping plans, a piece beside its living shard
  std::vector<ShardLane> lanes;  // by shard, then folder
  std::vector<std::string>
      without_run;  // folders whose journals are empty or lack their first lines: whose plan and
                    // shard nobody knows; what they decided counts
  std::vector<uint64_t> missing;       // shards (from 1) that have no journal yet
  std::vector<std::string> devices;    // kinds of device seen
  std::vector<FailureCount> failures;  // most frequent first
  std::vector<AuditRecord> audits;     // small plans: of all lanes together
  std::optional<double> eta_s;  // of the slowest unfinished lane; absent while one has no rate or is missing

  bool complete() const { return done >= total; }
  /// Shard `index` (from 0) has every case decided or all its lanes have ended by target.
  bool finished(uint64_t index) const;
  std::string text() const;
  std::string json() const;
};

struct StatusRequest {
  std::vector<std::string> folders;  // collection folders, or folders that hold collection folders
  std::optional<double> target_p90;  // for the verdicts
  std::optional<double> now_s;       // seconds since 1970; default: the clock
};

/// Folders with journals: each given one, or those one level below it. Throws UsageError when a given one has none.
std::vector<std::string> lane_folders(const std::vector<std::string>& given);

/// Throws UsageError when the folders hold more than one plan, back end, version, number of shards or limit: it names
/// two of them and what to do; and when no journal of theirs says to which plan it belongs.
ShardStatus shard_status(const OpRegistry& ops, const StatusRequest& request);

/// Writes the families that need no more points, one a line, for CollectOptions::small.stop_file; returns how many.
size_t write_stop_file(const ShardStatus& status, const std::string& path);

}  // namespace perfatlas
