// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perfatlas/accuracy/loo_summary.h"

namespace perfatlas {
namespace {

using Json = nlohmann::ordered_json;

std::string error_text(const EngineError& e, size_t asked) {
  if (e.answered == 0) return fmt::format("{:>22} {:>6}", "no answer", "");
  std::string text = fmt::format(
      "{:>22} {:>+6.1f}", fmt::format("{:.1f} / {:.1f} / {:.0f}", e.p50 * 100, e.p90 * 100, e.p99 * 100),
      e.bias * 100);
  if (e.answered < asked)
    text += fmt::format(" ({:.0f} % answered)", 100.0 * double(e.answered) / double(asked));
  return text;
}

Json error_json(const EngineError& e) {
  if (e.answered == 0) return {{"answered", 0}};
  return {{"answered", e.answered}, {"p50", e.p50}, {"p90", e.p90}, {"p99", e.p99}, {"bias", e.bias}};
}

}  // namespace

std::string loo_text(const std::string& system, std::span<const LooReport> reports) {
  std::string text = fmt::format(
      "{}: rows left out and predicted. |ln(predicted / measured)| in %: p50 / p90 / p99, then the signed "
      "median.\n"
      "bars: share of rows within the 50 / 80 / 95 % bars of atlas.\n",
      system);
  for (const LooReport& report : reports) {
    text += fmt::format("\n{}\n", report.op);
    for (const std::string& table : report.tables) text += fmt::format("  {}\n", table);
    text += fmt::format("  {:<24}{:>8}  {:>22} {:>6}  {:>22} {:>6}  {:>14}\n", "hold-out", "rows", "aic",
                        "bias", "atlas", "bias", "bars");
    for (const LooGroup& group : report.groups)
      text += fmt::format("  {:<24}{:>8}  {}  {}  {:>14}\n", group.name, group.asked,
                          error_text(group.aic, group.asked), error_text(group.atlas, group.asked),
                          fmt::format("{:.0f} / {:.0f} / {:.0f}", group.coverage[0] * 100,
                                      group.coverage[1] * 100, group.coverage[2] * 100));
  }
  return text;
}

std::string loo_json(const std::string& system, std::span<const LooReport> reports) {
  Json json{{"system", system}, {"ops", Json::array()}};
  for (const LooReport& report : reports) {
    Json op{{"op", report.op}, {"tables", report.tables}, {"groups", Json::array()}};
    for (const LooGroup& group : report.groups)
      op["groups"].push_back({{"hold_out", group.name},
                              {"rows", group.asked},
                              {"aic", error_json(group.aic)},
                              {"atlas", error_json(group.atlas)},
                              {"coverage", group.coverage}});
    json["ops"].push_back(std::move(op));
  }
  return json.dump(2) + "\n";
}

}  // namespace perfatlas
