// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/knee_rounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_set>

#include "perfatlas/interp/size_space.h"
#include "perfatlas/interp/slice.h"
#include "perfatlas/points/audit_window.h"
#include "perfatlas/points/knee_search.h"

namespace perfatlas {
namespace {

constexpr int kRounds = 8;           // halvings of a curve of 256 sizes
constexpr double kProbeShare = 0.1;  // of the plan
constexpr size_t kRoundShare =
    4;  // of the probes one round gets at most this part, so that steps are halved, not only met
constexpr double kThreshold = 0.10;  // of ln(latency): smaller steps are within what kriging bridges

/// One curve: a site of a table, its legal sizes and what was measured there.
struct Curve {
  Case at;  // with some size
  std::vector<int64_t> legal;
  std::map<int64_t, double> measured_ms;
};

using Curves = std::map<std::pair<const OpType*, FieldValues>, Curve>;

/// The case's curve: everything but its place on the last axis.
std::pair<const OpType*, FieldValues> curve_of(const Case& c) {
  FieldValues values = c.values;
  c.op->axes.back().set(values, 0);
  return {c.op, values};
}

Curves legal_curves(const OpRegistry& ops, PlanRequest request, const std::set<std::string>& families) {
  request.kind = PlanKind::full;
  request.shard = {};
  request.limit_per_op = 0;
  const Plan grid = make_plan(ops, request);
  Curves curves;
  std::map<const OpType*, SizeSpace> spaces;
  for (size_t i = 0; i < grid.size(); ++i) {
    const Case c = grid.at(i);
    if (c.op->layout.resolver != Resolver::sites) continue;
    if (!families.contains(spaces.try_emplace(c.op, *c.op).first->second.family_name(c.values))) continue;
    Curve& curve = curves[curve_of(c)];
    curve.at = c;
    curve.legal.push_back(c.op->axes.back().get(c.values));
  }
  for (auto& [key, curve] : curves) std::sort(curve.legal.begin(), curve.legal.end());
  return curves;
}

}  // namespace

KneeProbes knee_probes(const OpRegistry& ops, const PlanRequest& request, const Plan& plan,
                       const CollectOptions& options, const std::set<std::string>& families) {
  Curves curves = legal_curves(ops, request, families);
  KneeProbes probes;
  double floor_ms = 0;
  std::unordered_set<uint64_t> known;  // planned, or counted already
  for (size_t i = 0; i < plan.size(); ++i) known.insert(plan.id(i));
  read_journals(journal_files(options.folder), ops, [&](const JournalRecord& record) {
    const auto* const c = std::get_if<CaseRecord>(&record);
    if (c == nullptr || !c->row || c->cache != options.measure.cache) return;
    const auto curve = curves.find(curve_of(c->row->c));
    if (curve == curves.end()) return;
    const double ms = latency_ms(*c->row);
    curve->second.measured_ms[c->row->c.op->axes.back().get(c->row->c.values)] = ms;
    floor_ms = floor_ms > 0 ? std::min(floor_ms, ms) : ms;
    probes.measured += known.insert(c->case_id).second;
  });
  const SolContext context{options.system ? &*options.system : nullptr, options.measure.cache};
  std::vector<std::pair<double, Case>> found;
  for (auto& [key, curve] : curves) {
    std::vector<CurvePoint> points;
    for (const auto& [size, ms] : curve.measured_ms) {
      Case c = curve.at;
      c.op->axes.back().set(c.values, size);
      points.push_back({size, std::log(ms / (sol_ms(*c.op, c.values, context) + floor_ms))});
    }
    const auto probe = next_knee_probe(points, curve.legal, kThreshold);
    if (!probe) continue;
    found.emplace_back(probe->step, curve.at);
    curve.at.op->axes.back().set(found.back().second.values, probe->size);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (const auto& [step, c] : found) probes.next.push_back(c);
  return probes;
}

CollectSummary collect_with_knees(const OpRegistry& ops, const PlanRequest& request, const Plan& plan,
                                  const CollectOptions& options, CollectObserver& observer) {
  const auto most = size_t(kProbeShare * double(plan.size()));
  CollectSummary summary = collect(plan, ops, options, observer);
  if (!options.small.target_p90 || plan.kind() != PlanKind::small || plan.shard().count > 1) return summary;
  std::set<std::string> families;  // whose places are used up, or no longer help
  for (const AuditRecord& audit : summary.audits)
    if (audit.verdict == name_of(StopVerdict::plateau) || audit.verdict == name_of(StopVerdict::go_on))
      families.insert(audit.family);
  for (int round = 0; round < kRounds && !families.empty() && summary.exit_code() == 0; ++round) {
    if (summary.end == EndReason::budget) break;
    KneeProbes probes = knee_probes(ops, request, plan, options, families);
    if (probes.next.empty() || probes.measured >= most) break;
    probes.next.resize(
        std::min({probes.next.size(), size_t(most - probes.measured), most / kRoundShare + 1}));
    observer.on_event(
        fmt::format("{} sizes between steps of kernels, round {}", probes.next.size(), round + 1));
    CollectOptions rest = options;
    if (options.budget_s) rest.budget_s = *options.budget_s - summary.elapsed_s;
    if (rest.budget_s && *rest.budget_s <= 0) break;
    CollectSummary more = collect(follow_up(plan, probes.next), ops, rest, observer);
    more.planned += summary.planned;
    more.already_done += summary.already_done;
    more.not_attempted += summary.not_attempted;
    more.this_run += summary.this_run;
    more.elapsed_s += summary.elapsed_s;
    more.measured_s += summary.measured_s;
    more.remeasured += summary.remeasured;
    if (more.end == EndReason::complete) more.end = summary.end;
    if (more.audits.empty()) more.audits = summary.audits;
    summary = std::move(more);
  }
  return summary;
}

}  // namespace perfatlas
