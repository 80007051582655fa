// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/site_curve.h"

#include <algorithm>

#include "perfatlas/interp/sites_walk_impl.h"

namespace perfatlas {

SiteCurve::SiteCurve(const SitesInterpolator& sites, const Coordinates& site, SolFunction sol)
    : sites_(sites), site_(site), sol_(std::move(sol)) {
  const Question question{.at = site_, .sol = sol_};  // the walk keeps a reference
  const SitesWalk walk(sites_, question);
  known_ = walk.known_site();
  if (known_ != kNone) return;
  const size_t axes = sites_.site_axes_;
  for (uint32_t other = 0; other < sites_.sites_.size(); ++other) {
    double square = 0;
    for (size_t axis = 0; axis < axes; ++axis) {
      const double step = sites_.octaves_[other * axes + axis] - octave_of(site_[axis]);
      square += step * step;
    }
    if (square <= SitesWalk::kMaxOctaves * SitesWalk::kMaxOctaves) near_.push_back({square, other});
  }
  std::stable_sort(near_.begin(), near_.end(),
                   [](const Near& a, const Near& b) { return a.square < b.square; });
}

Reading SiteCurve::read(int64_t place) const {
  Question question{.at = site_, .sol = sol_};
  question.at[sites_.site_axes_] = place;
  SitesWalk walk(sites_, question);
  if (known_ != kNone && !sites_.raise_blends_) {
    const SitesWalk::OnCurve own = walk.on_curve(known_);
    if (own.kind == EstimateKind::exact)
      return {own.kind, own.value.latency_ms, walk.energy(own.supports[0].point), {}};
    if (own.kind != EstimateKind::miss)
      return {own.kind, own.value.latency_ms, own.value.power_w * own.value.latency_ms, {}};
  }
  SitesWalk::Neighbours chosen;
  for (const Near& near : near_) {
    if (!walk.covers(near.site)) continue;
    chosen.nearest[chosen.count++] = {near.square, near.site};
    if (chosen.count == SitesWalk::kSites) break;
  }
  if (chosen.count > 0 && walk.sol(question.at) > 0)
    return walk.weigh_reading(chosen, walk.inside_box(chosen));
  return reading_of(walk.estimate());
}

}  // namespace perfatlas
