// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/supervisor.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/collect/collection_impl.h"
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

int CollectSummary::exit_code() const {
  return end == EndReason::complete || end == EndReason::budget ? 0 : 1;
}

std::string CollectSummary::text() const {
  const OutcomeCounts& n = this_run;
  std::string line = fmt::format("{} of {} cases done", already_done + n.total(), planned);
  line += fmt::format(" ({} measured, {} skipped, {} failed, {} crashed, {} timed out now; {} before)",
                      n.measured, n.skipped, n.failed, n.crashed, n.timed_out, already_done);
  if (end == EndReason::budget) line += "; the budget is used: run the same command again to continue";
  if (end == EndReason::interrupted) line += "; interrupted: run the same command again to continue";
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
    const FolderState state(options.folder, ops);
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
  for (const uint32_t index : remaining.fresh) cost.expect(plan.at(index));
  for (const Remaining::Retry& retry : remaining.retries) cost.expect(plan.at(retry.index));
  Collection({plan, ops, options, observer, summary, cost}, std::move(remaining)).run();
  return summary;
}

}  // namespace perfatlas
