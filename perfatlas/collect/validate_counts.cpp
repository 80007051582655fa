// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>

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
std::string_view end_of(const ValidateInput& input) {
  if (input.runs.empty()) return {};
  const auto end = input.ends.find(input.runs.back().run_id);
  return end == input.ends.end() ? "killed" : std::string_view(end->second.why);
}

/// Missing cases are no fault when the budget was up before them.
void check_missing(const ValidateInput& input, const ValidateRequest& request, CountsOfOps& counts,
                   ValidateReport& report) {
  const std::vector<uint64_t>& decided = input.decided;
  FindingBuilder missing("missing", request.limits.findings_per_check);
  if (request.plan != nullptr) {
    for (size_t i = 0; i < request.plan->size(); ++i) {
      const Case c = request.plan->at(i);
      OpCounts& entry = counts_of(counts, *c.op);
      entry.expected = entry.expected.value_or(0) + 1;
      if (std::binary_search(decided.begin(), decided.end(), request.plan->id(i))) continue;
      ++entry.missing;
      missing.add(case_text(c));
    }
  } else if (!input.runs.empty() && decided.size() < input.runs.back().plan_cases) {
    missing.add(fmt::format("{} of {} planned cases", input.runs.back().plan_cases - decided.size(),
                            input.runs.back().plan_cases));
  }
  const bool budget = end_of(input) == name_of(EndReason::budget);
  missing.finish(budget ? "planned cases left by the budget; collect again to continue"
                        : "planned cases without an outcome; collect again to continue",
                 !budget, report);
}

void check_end(const ValidateInput& input, const ValidateRequest& request, ValidateReport& report) {
  const std::string_view end = end_of(input);
  FindingBuilder ended("unfinished", request.limits.findings_per_check);
  if (end == "killed" || end == name_of(EndReason::interrupted)) ended.add(input.runs.back().run_id);
  ended.finish(fmt::format("the newest run was {}; collect again to continue", end), true, report);
  FindingBuilder stopped("op given up", request.limits.findings_per_check);
  for (const BreakerRecord& breaker : input.breakers)
    stopped.add(fmt::format("{}: {}", breaker.op, breaker.reason));
  stopped.finish("ops that failed too often were given up; collect with --retry-failed once mended",
                 end == name_of(EndReason::gave_up), report);
  FindingBuilder damaged("damaged line", request.limits.findings_per_check);
  for (const DamagedLine& line : input.damaged)
    damaged.add(fmt::format("{}:{}: {}", line.path, line.line, line.reason));
  damaged.finish("journal lines that are no records (a kill leaves one); they are not used", false, report);
}

void check_failures(const ValidateInput& input, const ValidateRequest& request, CountsOfOps& counts,
                    ValidateReport& report) {
  for (const auto& [op, outcomes] : input.outcomes) counts_of(counts, *op).outcomes = outcomes;
  bool too_many = false;
  for (const auto& [id, entry] : counts) {
    uint64_t failed = 0, tried = 0;
    for (const auto& [outcome, count] : entry.outcomes) {
      if (outcome == Outcome::skipped) continue;
      tried += count;
      if (outcome != Outcome::measured) failed += count;
    }
    too_many |= double(failed) > request.limits.failure_share * double(tried);
  }
  if (input.failures == 0) return;
  report.findings.push_back({"failure", too_many, input.failures,
                             fmt::format("cases failed, crashed or timed out (at most {:.0f} % of an op may)",
                                         100 * request.limits.failure_share),
                             input.failure_examples});
}

std::set<std::string> sub_kernels_of(const CheckedRows& rows) {
  const auto column = rows.op().find_field(rows.op().info.sub_kernel_column);
  std::set<std::string> names;
  std::set<uint32_t> codes;  // of names
  for (size_t i = 0; i < rows.size(); ++i)
    if (codes.insert(column ? rows.field_code(*column, i) : rows.kernel_code(i)).second)
      names.insert(column ? rows.op().fields[*column].format(rows.values(i)[*column]) : rows.kernel(i));
  return names;
}

/// Every sub-kernel that an op declares must have rows, as soon as the op has any.
void check_sub_kernels(const ValidateInput& input, const ValidateRequest& request, ValidateReport& report) {
  FindingBuilder absent("sub-kernel", request.limits.findings_per_check);
  for (const CheckedRows& rows : input.rows) {
    const OpType& op = rows.op();
    if (op.info.sub_kernels.empty()) continue;
    const std::set<std::string> seen = sub_kernels_of(rows);
    for (const std::string_view name : op.info.sub_kernels)
      if (seen.count(std::string(name)) == 0)
        absent.add(
            fmt::format("{}: {} '{}' has no rows at all", op.info.id, op.info.sub_kernel_column, name));
  }
  absent.finish("sub-kernels without rows: the op's time would be too small", true, report);
}

}  // namespace

void check_counts(const ValidateInput& input, const ValidateRequest& request, ValidateReport& report) {
  CountsOfOps counts;
  for (const CheckedRows& rows : input.rows) counts_of(counts, rows.op()).rows = rows.size();
  check_missing(input, request, counts, report);
  check_failures(input, request, counts, report);
  check_sub_kernels(input, request, report);
  check_end(input, request, report);
  for (auto& [id, entry] : counts) report.counts.push_back(std::move(entry));
}

}  // namespace perfatlas
