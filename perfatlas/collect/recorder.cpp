// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/recorder.h"

#include <fmt/format.h>

#include "perfatlas/collect/staging.h"

namespace perfatlas {
namespace {

constexpr size_t kFailureNotes = 20;
// Rewriting tables reads the journals again; at most this share of the time goes into it.
constexpr int kTableTimeShare = 50;

std::chrono::steady_clock::duration seconds(double s) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(s));
}

}  // namespace

Recorder::Recorder(const CollectOptions& options, const OpRegistry& ops, CollectObserver& observer,
                   CollectSummary& summary)
    : options_(options),
      ops_(ops),
      observer_(observer),
      summary_(summary),
      tables_due_(Clock::now() + seconds(options.tables_every_s)) {}

void Recorder::begin(const RunRecord& run) {
  journal_.emplace(fmt::format("{}/journal-{}.jsonl", options_.folder, run.run_id));
  append(run);
}

void Recorder::append(const JournalRecord& record) { journal_->append(record); }

void Recorder::record(const CaseRecord& record) {
  append(record);
  tables_stale_ |= record.row.has_value();
  summary_.retried += record.attempts > 1;
  if (record.final) ++summary_.this_run[record.outcome];
  summary_.suspect += record.suspect;
  if (const auto skew = rank_skew(record)) summary_.rank_skews.push_back(*skew);
  summary_.throttled += record.row && record.row->quality->throttled;
  const bool failure = is_failure(record.outcome);
  if (failure && record.final && summary_.failures.size() < kFailureNotes)
    summary_.failures.push_back({record.case_text, record.reason, record.repro, record.log, record.outcome});
  observer_.on_case(record);
}

void Recorder::record(const BreakerRecord& record) {
  append(record);
  summary_.stopped_ops.push_back(record.reason);
  observer_.on_event(record.reason);
}

void Recorder::record(const AuditRecord& record) {
  append(record);
  observer_.on_event(fmt::format("{}: p90 {:.1f} % ({:.1f} to {:.1f}) after {} places: {}", record.family,
                                 100 * record.p90, 100 * record.p90_low, 100 * record.p90_high, record.places,
                                 record.verdict));
}

void Recorder::end(const EndRecord& record) {
  append(record);
  journal_->sync();
}

void Recorder::housekeeping() {
  if (!journal_) return;
  journal_->sync_if_due();
  if (tables_stale_ && Clock::now() >= tables_due_) write_tables();
}

std::chrono::milliseconds Recorder::patience() const { return std::chrono::milliseconds{250}; }

void Recorder::write_tables() {
  const auto start = Clock::now();
  summary_.tables = write_staging_tables(options_.folder, ops_);
  tables_stale_ = false;
  const auto now = Clock::now();
  tables_due_ = now + std::max(seconds(options_.tables_every_s), kTableTimeShare * (now - start));
}

}  // namespace perfatlas
