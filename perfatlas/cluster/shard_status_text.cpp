// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "perfatlas/base/hash.h"
#include "perfatlas/base/text.h"
#include "perfatlas/cluster/shard_status.h"
#include "perfatlas/collect/audited_families.h"

namespace perfatlas {
namespace {

constexpr double kSilentSeconds =
    600;  // a case takes at most a few deadlines; longer silence means a dead process
constexpr size_t kFailuresShown = 5;

std::string state_of(const ShardLane& lane) {
  if (!lane.end.empty()) return lane.end;
  if (lane.quiet_s && *lane.quiet_s > kSilentSeconds)
    return fmt::format("silent for {}", format_duration(*lane.quiet_s));
  return "running";
}

std::string lane_text(const ShardLane& lane) {
  std::string line = fmt::format("{:>8}  {:>8} of {:<8} {:>7}  {:>6}  {:<14} {:<20} {}\n",
                                 format_shard(lane.shard), lane.done, lane.planned, lane.outcomes.failures(),
                                 lane.rate_per_s ? fmt::format("{:.1f}/s", *lane.rate_per_s) : "-", lane.host,
                                 state_of(lane), lane.folder);
  if (lane.damaged > 0) line += fmt::format("          {} damaged lines ignored\n", lane.damaged);
  return line;
}

std::string notes_text(const ShardStatus& s) {
  std::string text;
  for (const std::string& folder : s.without_run)
    text +=
        fmt::format("{}: its journals are empty or lack their first lines; its shard is unknown\n", folder);
  if (!s.missing.empty()) text += fmt::format("not started: shard {}\n", fmt::join(s.missing, ", "));
  if (s.devices.size() > 1)
    text += fmt::format("{} kinds of device: {}; place each under its own system\n", s.devices.size(),
                        fmt::join(s.devices, ", "));
  if (s.repeated > 0)
    text += fmt::format(
        "{} cases were decided by more than one lane; place keeps the newest, the others as history\n",
        s.repeated);
  for (const AuditRecord& a : s.audits) text += audit_text(a, s.complete()) + "\n";
  for (size_t i = 0; i < std::min(kFailuresShown, s.failures.size()); ++i)
    text += fmt::format("{} cases {}\n    again: {}\n", s.failures[i].cases, s.failures[i].reason,
                        s.failures[i].repro);
  return text;
}

nlohmann::ordered_json lane_json(const ShardLane& lane) {
  nlohmann::ordered_json j{{"folder", lane.folder},
                           {"shard", format_shard(lane.shard)},
                           {"host", lane.host},
                           {"device", lane.device},
                           {"planned", lane.planned},
                           {"done", lane.done},
                           {"measured", lane.outcomes.measured},
                           {"skipped", lane.outcomes.skipped},
                           {"failures", lane.outcomes.failures()},
                           {"runs", lane.runs},
                           {"damaged", lane.damaged},
                           {"state", state_of(lane)}};
  if (lane.rate_per_s) j["rate_per_s"] = *lane.rate_per_s;
  if (lane.quiet_s) j["quiet_s"] = *lane.quiet_s;
  return j;
}

}  // namespace

std::string ShardStatus::text() const {
  std::string text = fmt::format("{} plan {}, {} {}: {} of {} cases decided", plan_kind, hex16(plan_hash),
                                 backend, backend_version, std::min(done, total), total);
  if (done > total) text += fmt::format(", {} more that its results asked for", done - total);
  if (!complete() && eta_s && *eta_s > 0) text += fmt::format(", {} to go", format_duration(*eta_s));
  text += fmt::format("\n{:>8}  {:>20} {:>7}  {:>6}  {:<14} {:<20} {}\n", "shard", "decided", "failed",
                      "rate", "host", "state", "folder");
  for (const ShardLane& lane : lanes) text += lane_text(lane);
  return text + notes_text(*this);
}

std::string ShardStatus::json() const {
  nlohmann::ordered_json j{{"plan", hex16(plan_hash)},
                           {"plan_kind", plan_kind},
                           {"backend", backend},
                           {"backend_version", backend_version},
                           {"shards", shards},
                           {"total", total},
                           {"done", done},
                           {"complete", complete()},
                           {"repeated", repeated},
                           {"missing", missing},
                           {"without_run", without_run},
                           {"devices", devices}};
  if (eta_s) j["eta_s"] = *eta_s;
  j["lanes"] = nlohmann::ordered_json::array();
  for (const ShardLane& lane : lanes) j["lanes"].push_back(lane_json(lane));
  j["audits"] = nlohmann::ordered_json::array();
  for (const AuditRecord& a : audits) {
    j["audits"].push_back({{"family", a.family},
                           {"p90", a.p90},
                           {"p90_low", a.p90_low},
                           {"p90_high", a.p90_high},
                           {"audits", a.audits},
                           {"places", a.places},
                           {"noise_floor", a.noise_floor},
                           {"verdict", a.verdict}});
    if (a.target) j["audits"].back()["target"] = *a.target;
  }
  j["failures"] = nlohmann::ordered_json::array();
  for (const FailureCount& f : failures)
    j["failures"].push_back({{"reason", f.reason}, {"cases", f.cases}, {"repro", f.repro}});
  return j.dump(2);
}

}  // namespace perfatlas
