// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

#include "perfatlas/collect/validate.h"

namespace perfatlas {
namespace {

using Json = nlohmann::ordered_json;

std::string counts_text(const OpCounts& counts) {
  std::string out = fmt::format("{}: {} rows", counts.op, counts.rows);
  if (counts.expected) out += fmt::format(", {} cases planned", *counts.expected);
  for (const auto& [outcome, count] : counts.outcomes) out += fmt::format(", {} {}", count, name_of(outcome));
  if (counts.missing > 0) out += fmt::format(", {} missing", counts.missing);
  return out + '\n';
}

std::string noise_text(const NoiseFigures& noise) {
  return fmt::format(
      "noise of {}: 95 % interval p50 {:.2f} %, p95 {:.2f} %; {} of {} rows noisy, {} throttled\n", noise.op,
      100 * noise.p50, 100 * noise.p95, noise.noisy, noise.rows, noise.throttled);
}

std::string drift_text(std::string_view name, const DriftFigures& drift) {
  return fmt::format("{}: {} cases, deviation p50 {:.2f} %, p95 {:.2f} %, {:.1f} % of them over 10 %\n", name,
                     drift.cases, 100 * drift.deviation_p50, 100 * drift.deviation_p95,
                     100 * drift.share_over_10_percent);
}

std::string leave_one_out_text(const LeaveOneOutFigures& figures) {
  const std::string what =
      fmt::format("leave-one-out of {} [{}, {}]", figures.op, figures.kernel, figures.cache_state);
  if (figures.points == 0) return fmt::format("{}: too few points\n", what);
  return fmt::format(
      "{}: {} points, relative error p50 {:.2f} %, p90 {:.2f} %, max {:.1f} %; {} without neighbours\n", what,
      figures.points, 100 * figures.p50, 100 * figures.p90, 100 * figures.max, figures.misses);
}

std::string spread_text(const TokenSpread& spread) {
  return fmt::format(
      "tokens of {}: at equal batch * sequence latency varies by a factor of {:.2f} (median of {} groups), "
      "at most "
      "{:.2f}\n",
      spread.op, spread.p50, spread.groups, spread.max);
}

std::string finding_text(const Finding& finding) {
  std::string out = fmt::format("{} {}: {} {}\n", finding.fails ? "FAIL" : "warn", finding.check,
                                finding.count, finding.summary);
  for (const std::string& example : finding.examples) out += fmt::format("       {}\n", example);
  if (finding.examples.size() < finding.count)
    out += fmt::format("       and {} more\n", finding.count - finding.examples.size());
  return out;
}

/// JSON has no infinity: an interval that is not known is null.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json counts_json(const OpCounts& counts) {
  Json out{{"op", counts.op},
           {"expected", counts.expected ? Json(*counts.expected) : Json()},
           {"rows", counts.rows}};
  for (const auto& entry : kEnumNames<Outcome>) {
    const auto found = counts.outcomes.find(entry.value);
    out[std::string(entry.name)] = found == counts.outcomes.end() ? 0 : found->second;
  }
  out["missing"] = counts.missing;
  return out;
}

Json drift_json(const std::optional<DriftFigures>& drift) {
  if (!drift) return {};
  return {{"cases", drift->cases},
          {"p50", drift->deviation_p50},
          {"p95", drift->deviation_p95},
          {"share_over_10_percent", drift->share_over_10_percent}};
}

}  // namespace

bool ValidateReport::passed() const {
  return std::none_of(findings.begin(), findings.end(), [](const Finding& finding) { return finding.fails; });
}

std::string ValidateReport::text() const {
  std::string out;
  for (const OpCounts& entry : counts) out += counts_text(entry);
  for (const NoiseFigures& entry : noise) out += noise_text(entry);
  for (const LeaveOneOutFigures& entry : leave_one_out) out += leave_one_out_text(entry);
  for (const TokenSpread& entry : token_spread) out += spread_text(entry);
  if (drift) out += drift_text("re-runs of the collection", *drift);
  if (rerun) out += drift_text("re-runs now", *rerun);
  for (const Finding& finding : findings) out += finding_text(finding);
  return out + (passed() ? "passed\n" : "FAILED\n");
}

std::string ValidateReport::json() const {
  Json out{{"passed", passed()}};
  const auto list = [&](const char* key, const auto& entries, const auto& to_json) {
    out[key] = Json::array();
    for (const auto& entry : entries) out[key].push_back(to_json(entry));
  };
  list("counts", counts, counts_json);
  list("noise", noise, [](const NoiseFigures& n) {
    return Json{{"op", n.op},           {"rows", n.rows},   {"p50", number(n.p50)},
                {"p95", number(n.p95)}, {"noisy", n.noisy}, {"throttled", n.throttled},
                {"suspect", n.suspect}};
  });
  list("leave_one_out", leave_one_out, [](const LeaveOneOutFigures& f) {
    return Json{{"op", f.op},         {"kernel", f.kernel}, {"cache_state", f.cache_state},
                {"points", f.points}, {"misses", f.misses}, {"p50", f.p50},
                {"p90", f.p90},       {"max", f.max}};
  });
  list("token_spread", token_spread, [](const TokenSpread& s) {
    return Json{{"op", s.op}, {"groups", s.groups}, {"p50", s.p50}, {"max", s.max}};
  });
  out["drift"] = drift_json(drift);
  out["rerun"] = drift_json(rerun);
  list("findings", findings, [](const Finding& f) {
    return Json{{"check", f.check},
                {"fails", f.fails},
                {"count", f.count},
                {"summary", f.summary},
                {"examples", f.examples}};
  });
  return out.dump();
}

}  // namespace perfatlas
