// SPDX-License-Identifier: Apache-2.0
// What to measure next: what must be measured again at once, fresh cases in plan order, then retries, then (once begun)
// re-runs.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "perfatlas/collect/drift.h"
#include "perfatlas/collect/resume.h"

namespace perfatlas {

struct Job {
  enum class Kind { fresh, retry, rerun };
  Kind kind = Kind::fresh;
  size_t plan_index = 0;
  int attempts_before = 0;  // of a retry
  double first_ms = 0;      // of a rerun
};

class WorkQueue {
 public:
  /// REQUIRES: `plan` outlives this.
  WorkQueue(const Plan& plan, Remaining remaining);

  /// The next job without taking it. Cases of stopped ops are passed over.
  std::optional<Job> peek();
  /// Takes what peek() shows. REQUIRES: there is one.
  Job take();

  /// To be tried again, after everything else.
  void add_retry(size_t plan_index, int attempts);
  /// To be measured again before anything else, on a fresh worker; stopped ops and skipped cases included.
  void add_urgent(size_t plan_index, int attempts);
  /// Cases for which `skip` holds when their turn comes are passed over.
  void skip_where(std::function<bool(size_t plan_index)> skip) { skip_ = std::move(skip); }
  /// No more cases of this op in this run.
  void stop_op(const OpType& op) { stopped_.push_back(&op); }
  /// Fresh cases not taken yet, stopped ops included.
  size_t fresh_left() const { return fresh_.left(); }
  /// Orders them by `seconds_of`, longest first: several devices then end at about the same time.
  void longest_first(const std::function<double(const Case&)>& seconds_of);
  /// Drops all measuring that is left; what is done from now on are these re-runs.
  void only_reruns(const std::vector<RerunCandidate>& candidates);

 private:
  bool stopped(size_t plan_index) const;

  const Plan& plan_;
  StretchCursor fresh_;
  std::deque<Remaining::Retry> urgent_, retries_;
  std::deque<RerunCandidate> reruns_;
  std::vector<const OpType*> stopped_;
  std::function<bool(size_t)> skip_;
};

}  // namespace perfatlas
