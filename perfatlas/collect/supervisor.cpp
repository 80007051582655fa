// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/supervisor.h"

#include <fmt/format.h>

#include <filesystem>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/base/text.h"
#include "perfatlas/collect/collection_impl.h"
#include "perfatlas/collect/plan_cost.h"
#include "perfatlas/collect/staging.h"

namespace perfatlas {
namespace {

void check(const CollectOptions& options) {
  if (options.folder.empty()) throw UsageError("no folder to collect into was given; name one with --out");
  if (options.devices.empty()) throw UsageError("no device was given; name one with --devices");
  if (options.budget_s && *options.budget_s <= 0)
    throw UsageError(
        fmt::format("a budget of {} s leaves no time to measure", format_real(*options.budget_s)));
  if (options.drift.share < 0 || options.drift.share >= 1)
    throw UsageError(
        fmt::format("a drift share of {} is not from 0 up to 1", format_real(options.drift.share)));
  const StoppingRule& rule = options.measure.stopping;
  if (rule.max_samples < rule.min_samples || rule.max_samples < 2)
    throw UsageError(fmt::format("{} samples at most cannot satisfy {} at least", rule.max_samples,
                                 std::max<size_t>(rule.min_samples, 2)));
}

/// The one of these folders that a run is recorded in.
std::string folder_of_run(const std::string& run_id, const std::vector<std::string>& folders) {
  for (const std::string& path : journal_files(folders))
    if (run_id_of_file(path) == run_id) return std::filesystem::path(path).parent_path().string();
  return folders.back();
}

/// A folder holds one shard of one plan: journals of another one would be counted to this one.
void check_shard(const Plan& plan, const FolderState& state, const std::vector<std::string>& folders) {
  if (plan.shard().count == 1) return;
  for (const RunRecord& run : state.runs()) {
    const Shard known = parse_shard(run.shard);
    if (run.plan_hash == plan.hash() && known.index == plan.shard().index &&
        known.count == plan.shard().count)
      continue;
    throw UsageError(fmt::format(
        "{} holds shard {} of plan {} ({}); this is shard {} of plan {}: use another --out for each, and "
        "--done-in only for pieces of one shard",
        folder_of_run(run.run_id, folders), run.shard, hex16(run.plan_hash), run.command,
        format_shard(plan.shard()), hex16(plan.hash())));
  }
}

}  // namespace

uint64_t& OutcomeCounts::operator[](Outcome outcome) {
  switch (outcome) {
    case Outcome::measured:
      return measured;
    case Outcome::skipped:
      return skipped;
    case Outcome::failed:
      return failed;
    case Outcome::crashed:
      return crashed;
    case Outcome::timed_out:
      return timed_out;
  }
  PERFATLAS_ASSERT(false);
}

OutcomeCounts& OutcomeCounts::operator+=(const OutcomeCounts& other) {
  measured += other.measured;
  skipped += other.skipped;
  failed += other.failed;
  crashed += other.crashed;
  timed_out += other.timed_out;
  return *this;
}

int CollectSummary::exit_code() const {
  return end == EndReason::interrupted || end == EndReason::gave_up ? 1 : 0;
}

std::string CollectSummary::text() const {
  const OutcomeCounts& n = this_run;
  std::string line = fmt::format("{} of {} cases done", already_done + n.total(), planned);
  line += fmt::format(" ({} measured, {} skipped, {} failed, {} crashed, {} timed out now; {} before)",
                      n.measured, n.skipped, n.failed, n.crashed, n.timed_out, already_done);
  if (end == EndReason::budget) line += "; the budget is used: run the same command again to continue";
  if (end == EndReason::interrupted) line += "; interrupted: run the same command again to continue";
  if (end == EndReason::target)
    line += fmt::format("; {} cases are not needed: their families have enough points", not_attempted);
  for (const std::string& op : stopped_ops) line += "; given up " + op;
  return line;
}

namespace {

/// A case that is expected to take more than this share of the budget waits for the others.
constexpr double kExpensiveShare = 0.01;

CostModel cost_model(const MeasureOptions& measure) {
  CostModel cost;
  cost.launches = double(measure.warmups) + double(measure.stopping.min_samples);
  cost.min_sample_s = measure.min_sample_ms / 1e3;
  cost.max_case_s = measure.stopping.max_time_s;
  return cost;
}

/// So many durations are estimated. Of more cases, one drawn from each stretch of the order stands for all of it: the
/// time to go needs no millions of estimates. Drawn, because ops take turns in an order.
constexpr size_t kEstimated = 200'000;

void expect_all(const Plan& plan, const Remaining& remaining, LearnedCost& cost) {
  StretchCursor cursor(remaining.fresh);
  const size_t step = cursor.left() / kEstimated + 1;
  for (uint64_t begin = 0; cursor.left() > 0; begin += step) {
    const size_t cases = std::min(step, cursor.left());
    const size_t drawn = combine_hashes(begin, 0) % cases;
    cursor.advance(drawn);
    cost.expect(plan.at(cursor.index()), double(cases));
    cursor.advance(cases - drawn);
  }
  for (const Remaining::Retry& retry : remaining.retries) cost.expect(plan.at(retry.index));
}

/// What earlier runs in the folder measured of a small plan. A shard sees too few points to judge a family: it finds
/// hiccups, but stops only what the stop file names.
AuditedFamilies audited_families(const Plan& plan, const OpRegistry& ops, const CollectOptions& options) {
  const Shard& shard = plan.shard();
  AuditOptions audit{options.small.predictor,
                     {options.system ? &*options.system : nullptr, options.measure.cache},
                     options.small.target_p90,
                     1.0 / double(shard.count * shard.pieces)};
  if (audit.share < 1) audit.target.reset();
  AuditedFamilies audits(std::move(audit));
  read_journals(journal_files(options.folder), ops, [&](const JournalRecord& record) {
    const auto* const c = std::get_if<CaseRecord>(&record);
    if (c == nullptr || c->backend != options.backend || c->cache != options.measure.cache) return;
    audits.take(c->row ? c->row->c : ops.parse_case(c->case_text), *c);
  });
  return audits;
}

}  // namespace

CollectSummary collect(const Plan& plan, const OpRegistry& ops, const CollectOptions& options,
                       CollectObserver& observer) {
  check(options);
  make_writable_folder(options.folder);
  const FolderLock lock(options.folder);
  remove_unfinished_files(options.folder);
  CollectSummary summary;
  summary.planned = plan.size();
  Remaining remaining;
  {
    std::vector<std::string> folders = options.done_in;
    folders.push_back(options.folder);
    const FolderState state(folders, ops);
    check_shard(plan, state, folders);
    remaining = remaining_work(plan, state,
                               {options.backend, options.measure.kernel, options.measure.cache,
                                options.resume, options.retry_failed});
    summary.damaged = state.damaged();
    summary.already_done = remaining.done;
    if (remaining.done == plan.size()) {
      for (const OpType* op : state.ops_with_rows())
        summary.tables.push_back(staging_path(options.folder, *op));
      // A run that was killed between its last record and its tables left the tables behind.
      if (!staging_up_to_date(options.folder, state.ops_with_rows()))
        summary.tables = write_staging_tables(options.folder, ops);
      if (plan.kind() == PlanKind::small && options.small.target_p90)
        summary.audits = audited_families(plan, ops, options).advance_all();
      return summary;
    }
  }
  if (options.system) write_system_spec(*options.system, options.folder + "/system.json");
  const CostModel model = cost_model(options.measure);
  const SystemSpec system = options.system.value_or(SystemSpec{});  // without peaks: no speed of light
  const auto seconds_of = [&](const Case& c) {
    return estimated_case_seconds(c, system, options.measure.cache, model);
  };
  if (options.system && options.budget_s)
    put_expensive_last(plan, seconds_of, kExpensiveShare * *options.budget_s, remaining.fresh);
  LearnedCost cost(seconds_of);
  expect_all(plan, remaining, cost);
  std::optional<AuditedFamilies> audits;
  if (plan.kind() == PlanKind::small) {
    audits.emplace(audited_families(plan, ops, options));
    summary.audits = audits->advance_all();
  }
  Collection({plan, ops, options, observer, summary, cost, audits ? &*audits : nullptr}, std::move(remaining))
      .run();
  return summary;
}

}  // namespace perfatlas
