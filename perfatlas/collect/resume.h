// SPDX-License-Identifier: Apache-2.0
// What the journals of a folder say is done.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "perfatlas/collect/journal.h"
#include "perfatlas/collect/plan.h"
#include "perfatlas/collect/plan_stretches.h"

namespace perfatlas {

/// The newest record of one key, in few bytes.
struct KeyState {
  uint64_t key = 0;  // key_of(CaseRecord)
  Outcome outcome = Outcome::measured;
  bool final = true;
  uint16_t attempts = 0;
};

class FolderState {
 public:
  /// Reads every journal of the folders, oldest first over all of them. Throws Error when one cannot be read or is of a
  /// newer revision.
  FolderState(const std::vector<std::string>& folders, const OpRegistry& ops);

  /// The newest record of a key, or null.
  const KeyState* find(uint64_t key) const;
  bool empty() const { return states_.empty(); }
  const std::vector<DamagedLine>& damaged() const { return damaged_; }
  const std::vector<const OpType*>& ops_with_rows() const { return ops_with_rows_; }
  /// Plan hashes and shards of the runs, newest last.
  const std::vector<RunRecord>& runs() const { return runs_; }

 private:
  std::vector<KeyState> states_;  // sorted by key
  std::vector<DamagedLine> damaged_;
  std::vector<const OpType*> ops_with_rows_;
  std::vector<RunRecord> runs_;
};

/// What a run of a plan still has to do.
struct Remaining {
  PlanStretches fresh;  // plan indices never tried, in plan order
  struct Retry {
    uint32_t index = 0;
    int attempts = 0;  // so far
  };
  std::vector<Retry> retries;  // tried without a final record, or failed when failures are to be tried again
  uint64_t done = 0;
};

/// How keys of a run are made and what counts as done.
struct ResumeOptions {
  std::string backend, kernel;
  CacheState cache = CacheState::serving;
  bool resume = true;
  bool retry_failed = false;
};

Remaining remaining_work(const Plan& plan, const FolderState& state, const ResumeOptions& options);

/// Moves the cases that take longer than `limit_s` by `seconds_of` behind all others, cheapest first: within a budget,
/// one of them would cost what a hundred others need. The order of the others stays. `fresh`: plan indices.
void put_expensive_last(const Plan& plan, const std::function<double(const Case&)>& seconds_of,
                        double limit_s, PlanStretches& fresh);

}  // namespace perfatlas
