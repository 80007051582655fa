// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_set>

#include "perfatlas/collect/supervisor.h"
#include "perfatlas/collect/validate_impl.h"

namespace perfatlas {
namespace {

using CountsOfOps = std::map<std::string, OpCounts>;

OpCounts& counts_of(CountsOfOps& counts, const OpType& op) {
  OpCounts& entry = counts[std::string(op.info.id)];
  entry.op = op.info.id;
  return entry;
}

/// How the newest run of the collection ended.
std::string_view end_of(const CollectionContents& contents) {
  if (contents.runs.empty()) return {};
  const auto end = contents.ends.find(contents.runs.back().run_id);
  return end == contents.ends.end() ? "killed" : std::string_view(end->second.why);
}

/// Missing cases are no fault when the budget was up before them.
void check_missing(const CollectionContents& contents, const ValidateRequest& request, CountsOfOps& counts,
                   ValidateReport& report) {
  std::unordered_set<uint64_t> decided;
  for (const CaseOutcome& o : contents.outcomes)
    if (o.final) decided.insert(case_id(o.c));
  // Collections of rows without journals say nothing about what was decided.
  if (contents.outcomes.empty())
    for (const MeasuredRow& measured : contents.rows) decided.insert(case_id(measured.row.c));
  FindingBuilder missing("missing", request.limits.findings_per_check);
  if (request.plan != nullptr) {
    for (size_t i = 0; i < request.plan->size(); ++i) {
      const Case c = request.plan->at(i);
      OpCounts& entry = counts_of(counts, *c.op);
      entry.expected = entry.expected.value_or(0) + 1;
      if (decided.count(request.plan->id(i)) > 0) continue;
      ++entry.missing;
      missing.add(case_text(c));
    }
  } else if (!contents.runs.empty() && decided.size() < contents.runs.back().plan_cases) {
    missing.add(fmt::format("{} of {} planned cases", contents.runs.back().plan_cases - decided.size(),
                            contents.runs.back().plan_cases));
  }
  const bool budget = end_of(contents) == name_of(EndReason::budget);
  missing.finish(budget ? "planned cases left by the budget; collect again to continue"
                        : "planned cases without an outcome; collect again to continue",
                 !budget, report);
}

void check_end(const CollectionContents& contents, const ValidateRequest& request, ValidateReport& report) {
  const std::string_view end = end_of(contents);
  FindingBuilder ended("unfinished", request.limits.findings_per_check);
  if (end == "killed" || end == name_of(EndReason::interrupted)) ended.add(contents.runs.back().run_id);
  ended.finish(fmt::format("the newest run was {}; collect again to continue", end), true, report);
  FindingBuilder stopped("op given up", request.limits.findings_per_check);
  for (const BreakerRecord& breaker : contents.breakers)
    stopped.add(fmt::format("{}: {}", breaker.op, breaker.reason));
  stopped.finish("ops that failed too often were given up; collect with --retry-failed once mended",
                 end == name_of(EndReason::gave_up), report);
  FindingBuilder damaged("damaged line", request.limits.findings_per_check);
  for (const DamagedLine& line : contents.damaged)
    damaged.add(fmt::format("{}:{}: {}", line.path, line.line, line.reason));
  damaged.finish("journal lines that are no records (a kill leaves one); they are not used", false, report);
}

void check_failures(const CollectionContents& contents, const ValidateRequest& request, CountsOfOps& counts,
                    ValidateReport& report) {
  FindingBuilder failures("failure", request.limits.findings_per_check);
  bool too_many = false;
  for (const CaseOutcome& o : contents.outcomes) {
    if (o.final) ++counts_of(counts, *o.c.op).outcomes[o.outcome];
    if (o.outcome != Outcome::measured && o.outcome != Outcome::skipped)
      failures.add(fmt::format("{}: {} ({})", o.repro.empty() ? repro_line(o.c) : o.repro, name_of(o.outcome),
                               o.reason));
  }
  for (const auto& [id, entry] : counts) {
    uint64_t failed = 0, tried = 0;
    for (const auto& [outcome, count] : entry.outcomes) {
      if (outcome == Outcome::skipped) continue;
      tried += count;
      if (outcome != Outcome::measured) failed += count;
    }
    too_many |= double(failed) > request.limits.failure_share * double(tried);
  }
  failures.finish(fmt::format("cases failed, crashed or timed out (at most {:.0f} % of an op may)",
                              100 * request.limits.failure_share),
                  too_many, report);
}

/// Every sub-kernel that an op declares must have rows, as soon as the op has any.
void check_sub_kernels(const CollectionContents& contents, const ValidateRequest& request,
                       ValidateReport& report) {
  std::map<const OpType*, std::set<std::string>> seen;
  for (const MeasuredRow& measured : contents.rows) {
    const OpType& op = *measured.row.c.op;
    const auto column = op.find_field(op.info.sub_kernel_column);
    seen[&op].insert(column ? op.fields[*column].format(measured.row.c.values[*column])
                            : measured.row.kernel_source);
  }
  FindingBuilder absent("sub-kernel", request.limits.findings_per_check);
  for (const auto& [op, names] : seen)
    for (const std::string_view name : op->info.sub_kernels)
      if (names.count(std::string(name)) == 0)
        absent.add(
            fmt::format("{}: {} '{}' has no rows at all", op->info.id, op->info.sub_kernel_column, name));
  absent.finish("sub-kernels without rows: the op's time would be too small", true, report);
}

}  // namespace

void check_counts(const CollectionContents& contents, const ValidateRequest& request,
                  ValidateReport& report) {
  CountsOfOps counts;
  for (const MeasuredRow* measured : newest_rows(contents)) ++counts_of(counts, *measured->row.c.op).rows;
  check_missing(contents, request, counts, report);
  check_failures(contents, request, counts, report);
  check_sub_kernels(contents, request, report);
  check_end(contents, request, report);
  for (auto& [id, entry] : counts) report.counts.push_back(std::move(entry));
}

}  // namespace perfatlas
