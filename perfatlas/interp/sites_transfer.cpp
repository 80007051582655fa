// SPDX-License-Identifier: Apache-2.0
// An unknown site: which measured sites lend their utilisation, and with what weight.
#include <algorithm>
#include <cmath>

#include "perfatlas/interp/sites_walk_impl.h"

namespace perfatlas {
namespace {

constexpr std::string_view kNoSolNearby = "no measured shape nearby has a known speed of light";

}  // namespace

void SitesWalk::Neighbours::offer(Neighbour candidate) {
  if (count == kSites && candidate.square >= nearest.back().square) return;
  if (count < kSites) ++count;
  size_t at = count - 1;
  for (; at > 0 && candidate.square < nearest[at - 1].square; --at) nearest[at] = nearest[at - 1];
  nearest[at] = candidate;
}

bool SitesWalk::any_covers() const {
  for (uint32_t site = 0; site < sites_.sites_.size(); ++site)
    if (covers(site)) return true;
  return false;
}

SitesWalk::Neighbours SitesWalk::select(const Selection& selection) const {
  Neighbours chosen;
  const size_t axes = sites_.site_axes_;
  const double* octave = sites_.octaves_.data();
  for (uint32_t site = 0; site < sites_.sites_.size(); ++site, octave += axes) {
    double square = 0, limited = 0;
    for (size_t axis = 0; axis < axes; ++axis) {
      const double step = octave[axis] - octave_[axis];
      square += step * step;
      if (int(axis) != selection.free_axis) limited += step * step;
    }
    if (limited > kMaxOctaves * kMaxOctaves) continue;
    if (chosen.count == kSites && square >= chosen.nearest.back().square) continue;
    if (selection.covering_only ? covers(site) : alive(site)) chosen.offer({square, site});
  }
  return chosen;
}

int SitesWalk::frontier_axis(bool covering_only) const {
  Coordinates least, largest;
  least.fill(INT64_MAX);
  largest.fill(INT64_MIN);
  for (uint32_t site = 0; site < sites_.sites_.size(); ++site) {
    if (!(covering_only ? covers(site) : alive(site))) continue;
    for (size_t axis = 0; axis < sites_.site_axes_; ++axis) {
      least[axis] = std::min(least[axis], sites_.sites_[site][axis]);
      largest[axis] = std::max(largest[axis], sites_.sites_[site][axis]);
    }
  }
  int beyond = -1;
  for (size_t axis = 0; axis < sites_.site_axes_; ++axis) {
    if (question_.at[axis] < least[axis]) return -1;
    if (question_.at[axis] <= largest[axis]) continue;
    if (beyond >= 0) return -1;
    beyond = int(axis);
  }
  return beyond;
}

bool SitesWalk::inside_box(const Neighbours& neighbours) const {
  for (size_t axis = 0; axis < sites_.site_axes_; ++axis) {
    bool below = false, above = false;
    for (size_t i = 0; i < neighbours.count; ++i) {
      const int64_t at = sites_.sites_[neighbours.nearest[i].site][axis];
      below = below || at <= question_.at[axis];
      above = above || at >= question_.at[axis];
    }
    if (!below || !above) return false;
  }
  return true;
}

Estimate SitesWalk::transfer() const {
  const double here = sol(question_.at);
  if (!(here > 0))
    return miss("this shape was not measured and no speed of light is known to compare it with");
  Selection selection{.covering_only = any_covers()};
  Neighbours chosen = select(selection);
  if (chosen.count == 0) {
    selection.free_axis = frontier_axis(selection.covering_only);
    if (selection.free_axis < 0) return miss("no measured shape lies within 2 octaves");
    chosen = select(selection);
    if (chosen.count == 0) return miss("no measured shape lies within 2 octaves on the other axes");
  }
  return weigh(chosen, selection.free_axis < 0 && inside_box(chosen));
}

template <class Visit>
SitesWalk::Weighed SitesWalk::mean_of(const Neighbours& chosen, bool inside, const Visit& visit) const {
  double utilisation = 0, power = 0, total = 0;
  for (size_t i = 0; i < chosen.count; ++i) {
    const auto [square, site] = chosen.nearest[i];
    const OnCurve own = on_curve(site);
    const double bound = sol_at(site, place_);
    if (own.kind == EstimateKind::miss || !(bound > 0) || !(own.value.latency_ms > 0)) continue;
    const double weight = 1 / (square + 1e-12);
    total += weight;
    utilisation += weight * bound / own.value.latency_ms;
    power += weight * own.value.power_w;
    inside = inside && own.kind != EstimateKind::held;
    visit(own, square, weight);
  }
  if (!(total > 0)) return {};
  return {inside ? EstimateKind::interpolated : EstimateKind::held,
          {sol(question_.at) / (utilisation / total), power / total},
          total};
}

Estimate SitesWalk::weigh(const Neighbours& chosen, bool inside) const {
  Estimate estimate;
  double nearest = INFINITY;
  const double octave = octave_of(place_);
  const Weighed mean = mean_of(chosen, inside, [&](const OnCurve& own, double square, double weight) {
    for (size_t j = 0; j < own.support_count; ++j) {
      const auto [entry, share] = own.supports[j];
      const double step = octave_of(sites_.key_[entry]) - octave;
      nearest = std::min(nearest, square + step * step);
      add_support(estimate, sites_.point_[entry], share * weight);
    }
  });
  if (mean.kind == EstimateKind::miss) return miss(kNoSolNearby);
  for (size_t i = 0; i < estimate.support_count; ++i) estimate.supports[i].weight /= mean.total;
  estimate.kind = mean.kind;
  estimate.latency_ms = mean.value.latency_ms;
  estimate.energy_mj = mean.value.energy_mj();
  estimate.distance = std::sqrt(nearest);
  return estimate;
}

Reading SitesWalk::weigh_reading(const Neighbours& chosen, bool inside) const {
  const Weighed mean = mean_of(chosen, inside, [](const OnCurve&, double, double) {});
  if (mean.kind == EstimateKind::miss) return {.miss_reason = kNoSolNearby};
  return {mean.kind, mean.value.latency_ms, mean.value.power_w * mean.value.latency_ms, {}};
}

}  // namespace perfatlas
