// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perfatlas/replay/replay.h"

namespace perfatlas {
namespace {

using Json = nlohmann::ordered_json;

Json error_json(const ReplayError& e) {
  Json j{{"p50", e.p50},         {"p90", e.p90},
         {"p99", e.p99},         {"known_p90", e.known_p90},
         {"new_p90", e.new_p90}, {"comparable_p90", e.comparable_p90}};
  if (e.misses > 0) j["misses"] = e.misses;
  return j;
}

std::string misses_text(const ReplayError& e) {
  return e.misses > 0 ? fmt::format(" ({} hold-out rows are of slices that it has no point of)", e.misses)
                      : "";
}

}  // namespace

std::string replay_text(const ReplayResult& r) {
  std::string text =
      fmt::format("{} on {}: {} rows, {} may be measured; p90 of |predicted / measured - 1| in %\n", r.family,
                  r.system, r.rows, r.pool);
  text += fmt::format("{:12}", "share");
  for (const ReplayPoint& p : r.curves.front().points) text += fmt::format(" {:>6.3g}%", 100 * p.share);
  text += "  as the full grid\n";
  for (const ReplayCurve& curve : r.curves) {
    text += fmt::format("{:12}", curve.strategy);
    for (const ReplayPoint& p : curve.points) text += fmt::format(" {:>7.1f}", 100 * p.error.p90);
    const auto needed = r.share_needed(curve);
    text += needed ? fmt::format("  with {:.3g}%\n", 100 * *needed) : "  not reached\n";
  }
  text += fmt::format("full grid    resolver {:.1f}{}, kriging {:.1f}\n", 100 * r.full_resolver.p90,
                      misses_text(r.full_resolver), 100 * r.full_kriged.p90);
  const ReplayCurve& plan = r.curves.front();
  text += fmt::format("{:12}", "  known");
  for (const ReplayPoint& p : plan.points) text += fmt::format(" {:>7.1f}", 100 * p.error.known_p90);
  text += fmt::format("  full grid: resolver {:.1f}, kriging {:.1f}\n", 100 * r.full_resolver.known_p90,
                      100 * r.full_kriged.known_p90);
  text += fmt::format("{:12}", "  new");
  for (const ReplayPoint& p : plan.points) text += fmt::format(" {:>7.1f}", 100 * p.error.new_p90);
  text += fmt::format("  full grid: resolver {:.1f}, kriging {:.1f}\n", 100 * r.full_resolver.new_p90,
                      100 * r.full_kriged.new_p90);
  if (r.full_resolver.misses > 0) {
    text += fmt::format("{:12}", "  comparable");
    for (const ReplayPoint& p : plan.points) text += fmt::format(" {:>7.1f}", 100 * p.error.comparable_p90);
    text += fmt::format("  full grid: resolver {:.1f}, kriging {:.1f}\n",
                        100 * r.full_resolver.comparable_p90, 100 * r.full_kriged.comparable_p90);
  }
  if (r.stop && r.stop->points > 0)
    text += fmt::format(
        "stops after {} points ({:.1f} %): {}; audits say {:.1f} ({:.1f} to {:.1f}), true {:.1f}\n",
        r.stop->points, 100 * double(r.stop->points) / double(r.pool), name_of(r.stop->verdict),
        100 * r.stop->figure.p90, 100 * r.stop->figure.low, 100 * r.stop->figure.high,
        100 * r.stop->error.p90);
  else if (r.stop && r.stop->figure.audits > 0)
    text += fmt::format("does not stop; audits say {:.1f} in the end, true {:.1f}\n",
                        100 * r.stop->figure.p90, 100 * r.stop->error.p90);
  return text;
}

std::string replay_json(const std::vector<ReplayResult>& results) {
  Json out = Json::array();
  for (const ReplayResult& r : results) {
    Json j{{"system", r.system}, {"family", r.family}, {"rows", r.rows}, {"pool", r.pool}};
    j["full_resolver"] = error_json(r.full_resolver);
    j["full_kriging"] = error_json(r.full_kriged);
    j["curves"] = Json::array();
    for (const ReplayCurve& curve : r.curves) {
      Json c{{"strategy", curve.strategy}, {"points", Json::array()}};
      for (const ReplayPoint& p : curve.points) {
        Json point = error_json(p.error);
        point["share"] = p.share;
        point["measured"] = p.points;
        c["points"].push_back(std::move(point));
      }
      if (const auto needed = r.share_needed(curve)) c["share_needed"] = *needed;
      j["curves"].push_back(std::move(c));
    }
    if (r.stop)
      j["stop"] = Json{{"measured", r.stop->points},        {"verdict", name_of(r.stop->verdict)},
                       {"audit_p90", r.stop->figure.p90},   {"audit_low", r.stop->figure.low},
                       {"audit_high", r.stop->figure.high}, {"true_p90", r.stop->error.p90}};
    out.push_back(std::move(j));
  }
  return out.dump(2);
}

}  // namespace perfatlas
