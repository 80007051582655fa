// SPDX-License-Identifier: Apache-2.0
// Measures a plan and loses nothing: one worker process per device, a deadline per case, kill and respawn, every
// outcome in the journal first. Killed at any moment, the same call later continues where it was.
//
// A collection folder holds: journal-<run_id>.jsonl per run, <table>.txt staging tables made from the journals,
// system.json, worker-<device>.log, and `lock` (held by the one live collection).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/collect/journal.h"
#include "perfatlas/collect/plan.h"
#include "perfatlas/hw/system_spec.h"
#include "perfatlas/measure/stopping_rule.h"
#include "perfatlas/points/predictor.h"

namespace perfatlas {

/// How one case is measured.
struct MeasureOptions {
  std::string kernel;  // empty: the worker's best one for each case
  CacheState cache = CacheState::serving;
  StoppingRule stopping;
  int warmups = 3;  // fewer, but one, when the speed of light says that they would outlast max_time_s
  double min_sample_ms = 0.1;  // launches are batched until a sample takes this long
  bool allow_graph_fail = true;
  bool measure_energy = false;
  uint64_t seed = 1;           // of operand contents
  int throttle_retries = 3;    // throttled samples are discarded so often; then the row is marked
  int impossible_retries = 1;  // faster than light: measured again so often; then the row is marked suspect
};

/// What is done when things go wrong. Retries happen at the end of the run, on a fresh worker.
struct RetryPolicy {
  int crash_retries = 1;    // also for workers that broke the protocol
  int timeout_retries = 0;  // a hang costs a whole deadline
  int respawns_in_a_row =
      5;  // workers that die without one good answer; then the collection stops with an Error
  // Circuit breaker, per op: after `breaker_min_cases`, when more than `breaker_share` of the last `breaker_window`
  // outcomes are failures. A third failing means that something is broken, not that cases are hard.
  int breaker_min_cases = 20;
  int breaker_window = 50;
  double breaker_share = 1.0 / 3;
};

/// The re-run of measured cases at the end of a run.
struct DriftOptions {
  double share = 0.05;      // of the budget (without a budget: of the measured cases)
  uint64_t max_cases = 50;  // 0: no re-runs
  uint64_t seed = 7;
};

/// How a small plan is followed. Does nothing in a full one.
struct SmallPlanRun {
  std::optional<double>
      target_p90;  // families stop when their audits' p90 is at most this, or no more points help
  /// Families named in this file, one a line, are measured no further; looked at every few seconds. Shards of one plan
  /// share it: whoever sees all journals writes it (cluster/shard_status.h).
  std::string stop_file;
  PredictorMaker predictor = make_kriged_predictor;
};

struct CollectOptions {
  std::string folder;  // created when missing
  std::string backend = "onednn";
  std::vector<std::string> devices = {"0"};  // one worker each; the text goes to the worker's --devices
  /// Command of a plug-in worker; `{device}` is replaced. Empty: the worker that belongs to the back end
  /// (worker_command()). Every worker gets `--protocol-fds 3,4` appended.
  std::vector<std::string> worker_command;
  MeasureOptions measure;
  RetryPolicy retry;
  DriftOptions drift;
  SmallPlanRun small;
  /// No case begins after it; one that still runs 10 % (at least 2 s) later is stopped and left for a later run.
  /// Given `system`, cases that are expected to cost more than 1 % of it come last.
  std::optional<double> budget_s;
  std::optional<double> case_deadline_s;  // for each request; default: by its work, see case_run.h
  double hello_deadline_s = 120;          // start of a worker until its first answer
  /// Resident memory at which a worker is replaced before its next case; default: 85 % of physical memory, shared.
  std::optional<double> worker_memory_bytes;
  /// Other collection folders, only read: what is decided there is done (the shard that a piece takes over).
  std::vector<std::string> done_in;
  bool resume = true;                // cases with a final record are not repeated
  bool retry_failed = false;         // ... except those that failed, crashed or timed out
  std::optional<SystemSpec> system;  // for efficiency and deadlines
  std::string command_line;          // for the journal: what to type to run it again
  std::string tool_version;
  double tables_every_s = 10;   // staging tables follow the journal at this interval
  bool stop_on_signals = true;  // SIGINT and SIGTERM end the run in order; the second one at once
};

enum class EndReason {
  complete,     // every case has a final record
  budget,       // time is up; run again to continue
  interrupted,  // by a signal; run again to continue
  gave_up,      // complete but for ops that the circuit breaker stopped
  target,       // small plan: what is left belongs to families that need no more points
};

template <>
inline constexpr auto kEnumNames<EndReason> = std::array{
    EnumName<EndReason>{EndReason::complete, "complete"}, EnumName<EndReason>{EndReason::budget, "budget"},
    EnumName<EndReason>{EndReason::interrupted, "interrupted"},
    EnumName<EndReason>{EndReason::gave_up, "gave_up"}, EnumName<EndReason>{EndReason::target, "target"}};

struct OutcomeCounts {
  uint64_t measured = 0, skipped = 0, failed = 0, crashed = 0, timed_out = 0;
  uint64_t total() const { return measured + skipped + failed + crashed + timed_out; }
  uint64_t failures() const { return failed + crashed + timed_out; }
  uint64_t& operator[](Outcome outcome);
  OutcomeCounts& operator+=(const OutcomeCounts& other);
  bool operator==(const OutcomeCounts&) const = default;
};

/// A failure worth showing to the user.
struct FailureNote {
  std::string case_text, reason, repro, log;
  Outcome outcome = Outcome::failed;
};

struct CollectSummary {
  EndReason end = EndReason::complete;
  std::string run_id;                    // empty when there was nothing to do
  uint64_t planned = 0;                  // cases in the plan
  uint64_t already_done = 0;             // by earlier runs in this folder
  OutcomeCounts this_run;                // final records written by this run
  uint64_t not_attempted = 0;            // left for the next run (budget, interruption, breaker)
  uint64_t retried = 0;                  // attempts after a crash
  uint64_t respawns = 0;                 // workers started beyond the first of each device
  uint64_t suspect = 0;                  // rows faster than the speed of light, marked
  uint64_t throttled = 0;                // rows measured while throttling, marked
  std::vector<double> rank_skews;        // of collectives measured by this run, see rank_skew()
  uint64_t remeasured = 0;               // cases measured again at once, doubtful or noisy
  std::vector<AuditRecord> audits;       // small plan: the newest of each family, by name
  std::vector<std::string> stopped_ops;  // "gemm: 21 of the last 50 cases failed; ..."
  std::vector<FailureNote> failures;     // the first 20
  std::vector<DamagedLine> damaged;      // journal lines that were not records
  std::optional<DriftFigures> drift;
  std::vector<std::string> tables;  // staging files written or found up to date
  double elapsed_s = 0;
  double measured_s = 0;  // elapsed on the workers' answers, over all devices

  /// 0 for complete, target and budget; 1 when it was interrupted or an op was given up.
  int exit_code() const;
  /// One line for the user.
  std::string text() const;
};

/// A look at a running collection.
struct Progress {
  uint64_t done = 0;  // of the plan, earlier runs included
  uint64_t total = 0;
  uint64_t failures = 0;
  double elapsed_s = 0;
  std::optional<double> eta_s;  // until the plan or the budget ends; absent until something is done
  std::string current_case;     // case_text
};

/// Hears what happens; nothing in collect/ prints. Called from the thread that called collect(), often: keep it cheap.
class CollectObserver {
 public:
  virtual ~CollectObserver() = default;
  virtual void on_progress(const Progress&) {}
  virtual void on_case(const CaseRecord&) {}
  /// A worker died or was killed, an op was given up, tables were written: one line.
  virtual void on_event(const std::string&) {}
};

/// Measures what the plan and the folder's journals leave to do. A finished plan starts no worker and writes nothing.
/// Throws Error: folder in use, read-only or full; no such worker or device; worker of another protocol version;
/// workers that die at start. Whatever was recorded until then stays and a later call continues.
CollectSummary collect(const Plan& plan, const OpRegistry& ops, const CollectOptions& options,
                       CollectObserver& observer);

/// The executable of the workers of a back end ("perfatlas-worker-cpu" for onednn, "perfatlas-worker-cuda" for cuda and
/// nccl, else "perfatlas-worker-<backend>"), looked for in PERFATLAS_WORKER_PATH (folders, separated by ':'), beside
/// the running executable, then in PATH. The command ends with "--devices {device}". Throws UsageError with the places.
std::vector<std::string> worker_command(const std::string& backend);

}  // namespace perfatlas
