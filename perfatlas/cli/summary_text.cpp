// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/summary_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "perfatlas/base/command.h"
#include "perfatlas/base/text.h"
#include "perfatlas/cli/busy_machine.h"
#include "perfatlas/collect/audited_families.h"
#include "perfatlas/measure/statistics.h"

namespace perfatlas {
namespace {

constexpr size_t kFailuresShown = 5;

std::string ending(const CollectSummary& s) {
  switch (s.end) {
    case EndReason::complete:
      return "complete: every case has an outcome";
    case EndReason::budget:
      return fmt::format("budget used up, {} cases left; run the same command to continue", s.not_attempted);
    case EndReason::interrupted:
      return fmt::format("interrupted, {} cases left; run the same command to continue", s.not_attempted);
    case EndReason::gave_up:
      return fmt::format("some ops were given up, {} cases left", s.not_attempted);
    case EndReason::target:
      return fmt::format("enough: {} more cases of the plan are not needed", s.not_attempted);
  }
  return {};
}

std::string failures_text(const CollectSummary& s) {
  std::string text;
  for (size_t i = 0; i < std::min(kFailuresShown, s.failures.size()); ++i) {
    const FailureNote& f = s.failures[i];
    text +=
        fmt::format("  {}: {}\n    {}\n    again: {}\n", name_of(f.outcome), f.reason, f.case_text, f.repro);
  }
  if (s.this_run.failures() > kFailuresShown)
    text +=
        fmt::format("  ... {} more in the journal and the report\n", s.this_run.failures() - kFailuresShown);
  return text;
}

/// What the audits say, and what they cannot say.
std::string audits_text(const CollectSummary& s) {
  std::string text;
  for (const AuditRecord& a : s.audits)
    text += "error of " + audit_text(a, s.end == EndReason::complete) + "\n";
  if (s.remeasured > 0)
    text += fmt::format("measured again at once, doubtful or noisy: {} cases\n", s.remeasured);
  return text;
}

/// How far apart the ranks of the collectives ended.
std::string skew_text(const CollectSummary& s) {
  if (s.rank_skews.empty()) return {};
  std::vector<double> skews = s.rank_skews;
  std::sort(skews.begin(), skews.end());
  return fmt::format(
      "ranks of {} collectives ended apart by: median {:.1f} %, p90 {:.1f} %, worst {:.1f} %\n", skews.size(),
      100 * quantile(skews, .5), 100 * quantile(skews, .9), 100 * skews.back());
}

nlohmann::json audits_json(const CollectSummary& s) {
  auto array = nlohmann::json::array();
  for (const AuditRecord& a : s.audits) {
    array.push_back({{"family", a.family},
                     {"places", a.places},
                     {"audits", a.audits},
                     {"p90", a.p90},
                     {"p90_low", a.p90_low},
                     {"p90_high", a.p90_high},
                     {"noise_floor", a.noise_floor},
                     {"verdict", a.verdict}});
    if (a.target) array.back()["target"] = *a.target;
  }
  return array;
}

}  // namespace

std::string collect_summary_text(const CollectSummary& s, const std::string& folder, double others_share) {
  const OutcomeCounts& n = s.this_run;
  std::string text = fmt::format(
      "{}\n{} planned, {} done before; this run: {} measured, {} skipped, {} failed, {} crashed, {} timed "
      "out in {}\n",
      ending(s), s.planned, s.already_done, n.measured, n.skipped, n.failed, n.crashed, n.timed_out,
      format_duration(s.elapsed_s));
  if (n.skipped > n.measured)
    text +=
        "most cases have no kernel or no room here: perfatlas ops OP says why; --dtype bfloat16 plans a "
        "quantised "
        "model unquantised\n";
  if (s.respawns + s.retried > 0)
    text += fmt::format("workers respawned {}, cases tried again {}\n", s.respawns, s.retried);
  if (s.suspect + s.throttled > 0)
    text +=
        fmt::format("marked rows: {} faster than the speed of light, {} throttled\n", s.suspect, s.throttled);
  if (const auto line = busy_meanwhile(others_share)) text += *line + "\n";
  if (s.drift)
    text += fmt::format(
        "drift over {} cases measured again: p50 {:.1f} %, p95 {:.1f} %, {:.0f} % of them over 10 %\n",
        s.drift->cases, 100 * s.drift->deviation_p50, 100 * s.drift->deviation_p95,
        100 * s.drift->share_over_10_percent);
  text += audits_text(s);
  text += skew_text(s);
  for (const std::string& op : s.stopped_ops) text += fmt::format("stopped: {}\n", op);
  for (const DamagedLine& d : s.damaged)
    text += fmt::format("ignored: {}:{}: {}\n", d.path, d.line, d.reason);
  text += failures_text(s);
  text +=
      fmt::format("next: perfatlas validate {0} && perfatlas place {0} --into tables; perfatlas report {0}\n",
                  shell_quoted(folder));
  return text;
}

std::string collect_summary_json(const CollectSummary& s, double others_share) {
  nlohmann::json out = {{"end", name_of(s.end)},
                        {"run_id", s.run_id},
                        {"planned", s.planned},
                        {"already_done", s.already_done},
                        {"not_attempted", s.not_attempted},
                        {"outcomes",
                         {{"measured", s.this_run.measured},
                          {"skipped", s.this_run.skipped},
                          {"failed", s.this_run.failed},
                          {"crashed", s.this_run.crashed},
                          {"timed_out", s.this_run.timed_out}}},
                        {"respawns", s.respawns},
                        {"retried", s.retried},
                        {"suspect", s.suspect},
                        {"throttled", s.throttled},
                        {"stopped_ops", s.stopped_ops},
                        {"tables", s.tables},
                        {"elapsed_s", s.elapsed_s},
                        {"others_busy_share", others_share},
                        {"failures", nlohmann::json::array()},
                        {"damaged_journal_lines", s.damaged.size()}};
  for (const FailureNote& f : s.failures)
    out["failures"].push_back(
        {{"outcome", name_of(f.outcome)}, {"case", f.case_text}, {"reason", f.reason}, {"repro", f.repro}});
  if (!s.audits.empty()) out["audits"] = audits_json(s);
  if (s.remeasured > 0) out["remeasured"] = s.remeasured;
  if (s.drift)
    out["drift"] = {{"cases", s.drift->cases},
                    {"p50", s.drift->deviation_p50},
                    {"p95", s.drift->deviation_p95},
                    {"share_over_10_percent", s.drift->share_over_10_percent}};
  return out.dump(2);
}

}  // namespace perfatlas
