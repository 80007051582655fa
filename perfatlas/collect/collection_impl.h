// SPDX-License-Identifier: Apache-2.0
// One running collection: the event loop behind collect().
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/collect/audited_families.h"
#include "perfatlas/collect/case_run.h"
#include "perfatlas/collect/drift.h"
#include "perfatlas/collect/learned_cost.h"
#include "perfatlas/collect/recorder.h"
#include "perfatlas/collect/retry_policy.h"
#include "perfatlas/collect/second_look.h"
#include "perfatlas/collect/work_queue.h"
#include "perfatlas/collect/worker_client.h"
#include "perfatlas/worker/remote_operands.h"

namespace perfatlas {

class Collection {
 public:
  using Clock = std::chrono::steady_clock;

  /// REQUIRES: everything outlives this; `summary` has its planned and already_done counts.
  struct Parts {
    const Plan& plan;
    const OpRegistry& ops;
    const CollectOptions& options;
    CollectObserver& observer;
    CollectSummary& summary;
    LearnedCost& cost;                  // expects what remains
    AuditedFamilies* audits = nullptr;  // of a small plan, with what earlier runs measured
  };
  Collection(const Parts& parts, Remaining remaining);

  /// Until the work is done, the budget used or a signal has come; tables are written then. Throws Error.
  void run();

 private:
  /// One device: its worker, if one lives, and what that is doing.
  struct Slot {
    std::string device, log_name;
    std::unique_ptr<WorkerClient> worker;
    bool greeted = false;                      // hello was answered
    std::unique_ptr<RemoteOperands> operands;  // of a worker that wants them
    uint64_t served = 0;                       // cases of this worker process
    uint64_t started = 0;                      // worker processes so far
    int deaths_in_a_row = 0;                   // before hello was answered
    std::optional<Job> job;
    std::optional<CaseRun> run;
    Clock::time_point job_start{}, request_start{};
    double allowed_s = 0;                        // for the open request
    std::optional<Clock::time_point> resume_at;  // pausing because of throttling
  };

  enum class Phase { measuring, rerunning, leaving };

  // collection_workers.cpp: the life of workers
  void start_worker(Slot& slot);
  void retire_worker(Slot& slot);
  void greet(Slot& slot, const HelloAnswer& hello);
  void check_start_failure(Slot& slot, const WorkerLoss& loss);
  void limit_memory(Slot& slot);
  RunRecord run_record(const HelloAnswer& hello) const;

  // collection_audits.cpp: small plans
  void write_record(const Job& job, const Case& c, CaseRecord record);
  void judge(const Case& c);
  void read_stop_file();

  // collection.cpp: the loop and the cases
  void advance_phase();
  bool idle() const;
  void assign(Slot& slot);
  void start_job(Slot& slot);
  void ask(Slot& slot);
  void wait();
  void on_readable(Slot& slot);
  void on_answer(Slot& slot, WorkerAnswer answer);
  void on_sample(Slot& slot, const SampleAnswer& answer);
  void on_loss(Slot& slot, const WorkerLoss& loss);
  void check_clocks(Slot& slot);
  void finish_job(Slot& slot, CaseRecord record, bool broke_protocol);
  void abandon_job(Slot& slot);
  void begin_reruns();
  void leave(EndReason reason);
  void finish();
  void report_progress(bool always);
  void share_out_the_last();

  double elapsed_s() const;
  bool budget_used(double share) const;
  bool over_budget() const;
  void stop_overtime(Slot& slot);

  const Plan& plan_;
  const CollectOptions& options_;
  CollectObserver& observer_;
  CollectSummary& summary_;
  LearnedCost& cost_;
  Recorder recorder_;
  WorkQueue queue_;
  CircuitBreaker breaker_;
  Reservoir reservoir_;
  DriftMeter drift_;
  MeasureContext context_;
  std::vector<std::string> command_;
  std::vector<Slot> slots_;
  std::optional<InterruptSignals> signals_;
  Phase phase_ = Phase::measuring;
  EndReason end_ = EndReason::complete;
  Clock::time_point start_, rerun_until_, progress_due_;
  AuditedFamilies* audits_;
  SecondLook second_look_;
  Clock::time_point stop_file_due_{};
  std::string current_case_;
  bool last_shared_out_ = false;
};

}  // namespace perfatlas
