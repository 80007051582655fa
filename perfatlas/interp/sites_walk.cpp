// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "perfatlas/interp/sites_walk_impl.h"

namespace perfatlas {

SitesWalk::SitesWalk(const SitesInterpolator& sites, const Question& question)
    : sites_(sites),
      question_(question),
      curve_axis_(sites.site_axes_),
      place_(question.at[sites.site_axes_]) {
  if (question.without != kNoPoint) gone_ = sites.entry_of_point_[question.without];
}

Estimate SitesWalk::estimate() {
  const uint32_t site = known_site();
  if (site != kNone) {
    const OnCurve own = on_curve(site);
    if (own.kind == EstimateKind::miss)
      return miss("the case lies beyond the measured curve and no speed of light is known to extend it");
    return from_own(site, own);
  }
  for (size_t axis = 0; axis < sites_.site_axes_; ++axis) octave_[axis] = octave_of(question_.at[axis]);
  return transfer();
}

uint32_t SitesWalk::known_site() const {
  Coordinates wanted = question_.at;
  wanted[curve_axis_] = 0;
  const auto at =
      std::lower_bound(sites_.sorted_.begin(), sites_.sorted_.end(), wanted,
                       [&](uint32_t site, const Coordinates& w) { return sites_.sites_[site] < w; });
  if (at == sites_.sorted_.end() || sites_.sites_[*at] != wanted || !alive(*at)) return kNone;
  return *at;
}

double SitesWalk::sol_at(uint32_t site, int64_t place) const {
  Coordinates at = sites_.sites_[site];
  at[curve_axis_] = place;
  return sol(at);
}

bool SitesWalk::alive(uint32_t site) const {
  const uint32_t begin = sites_.curve_begin_[site];
  return begin != gone_ || sites_.curve_begin_[site + 1] - begin > 1;
}

bool SitesWalk::covers(uint32_t site) const {
  if (!alive(site)) return false;
  uint32_t first = sites_.curve_begin_[site], last = sites_.curve_begin_[site + 1] - 1;
  if (first == gone_) ++first;
  if (last == gone_) --last;
  return sites_.key_[first] <= place_ && place_ <= sites_.key_[last];
}

SitesWalk::OnCurve SitesWalk::on_curve(uint32_t site) const {
  const uint32_t begin = sites_.curve_begin_[site], end = sites_.curve_begin_[site + 1];
  const auto& key = sites_.key_;
  auto at = uint32_t(std::lower_bound(key.begin() + begin, key.begin() + end, place_) - key.begin());
  uint32_t low = at;  // one past the lower neighbour
  if (at < end && key[at] == place_) {
    if (at != gone_) {
      const double latency = sites_.latency_ms_[at];
      OnCurve exact{EstimateKind::exact, {latency, power_of(energy(at), latency)}};
      exact.supports[exact.support_count++] = {at, 1};
      return exact;
    }
    ++at;
  }
  if (at == gone_) ++at;
  if (low > begin && low - 1 == gone_) --low;
  if (low == begin || at >= end) return hold_tail(site, begin, end);
  return blend(low - 1, at);
}

SitesWalk::OnCurve SitesWalk::blend(uint32_t low, uint32_t high) const {
  const double weight = double(place_ - sites_.key_[low]) / double(sites_.key_[high] - sites_.key_[low]);
  const double l = sites_.latency_ms_[low], h = sites_.latency_ms_[high];
  const double low_power = power_of(energy(low), l), high_power = power_of(energy(high), h);
  OnCurve blended{EstimateKind::interpolated,
                  {l + (h - l) * weight, low_power + (high_power - low_power) * weight}};
  blended.supports[0] = {low, 1 - weight};
  blended.supports[1] = {high, weight};
  blended.support_count = 2;
  return blended;
}

SitesWalk::OnCurve SitesWalk::hold_tail(uint32_t site, uint32_t begin, uint32_t end) const {
  struct End {
    double utilisation, power;
    uint32_t entry;
  };
  std::array<End, kTail> ends{};
  size_t count = 0;
  const bool below = place_ < sites_.key_[begin == gone_ ? begin + 1 : begin];
  for (uint32_t i = 0; i < end - begin && count < kTail; ++i) {
    const uint32_t entry = below ? begin + i : end - 1 - i;
    const double bound = entry == gone_ ? 0 : sol_at(site, sites_.key_[entry]);
    const double latency = sites_.latency_ms_[entry];
    if (!(bound > 0) || !(latency > 0)) continue;
    const End end_point{bound / latency, power_of(energy(entry), latency), entry};
    size_t at = count++;
    for (; at > 0 && end_point.utilisation < ends[at - 1].utilisation; --at) ends[at] = ends[at - 1];
    ends[at] = end_point;
  }
  const double here = sol_at(site, place_);
  if (count == 0 || !(here > 0)) return {};
  double utilisation = ends[count / 2].utilisation;
  if (count % 2 == 0) utilisation = (ends[count / 2 - 1].utilisation + utilisation) / 2;
  OnCurve held{EstimateKind::held, {here / utilisation, 0}};
  for (size_t i = 0; i < count; ++i) {
    held.supports[held.support_count++] = {ends[i].entry, 1.0 / double(count)};
    held.value.power_w += ends[i].power / double(count);
  }
  return held;
}

Estimate SitesWalk::from_own(uint32_t site, const OnCurve& own) const {
  Estimate estimate{.kind = own.kind, .latency_ms = own.value.latency_ms};
  double nearest = INFINITY;
  for (size_t i = 0; i < own.support_count; ++i) {
    const auto [entry, weight] = own.supports[i];
    add_support(estimate, sites_.point_[entry], weight);
    nearest = std::min(nearest, std::abs(octave_of(sites_.key_[entry]) - octave_of(place_)));
  }
  if (own.kind == EstimateKind::exact) {
    const double stored = energy(own.supports[0].point);
    if (!std::isnan(stored)) estimate.energy_mj = stored;
    return estimate;
  }
  estimate.distance = nearest;
  if (own.kind == EstimateKind::interpolated && sites_.raise_blends_) {
    const double bound = sol_at(site, place_);
    bool kept = estimate.latency_ms < bound;
    // Points that beat the speed of light say that the bound is wrong, not the blend.
    for (size_t i = 0; kept && i < own.support_count; ++i) {
      const uint32_t entry = own.supports[i].point;
      kept = sites_.latency_ms_[entry] >= sol_at(site, sites_.key_[entry]);
    }
    if (kept) estimate.latency_ms = bound;
  }
  if (!std::isnan(own.value.power_w)) estimate.energy_mj = own.value.power_w * estimate.latency_ms;
  return estimate;
}

Estimate SitesWalk::miss(std::string_view reason) const {
  Estimate estimate;
  estimate.miss_reason = reason;
  return estimate;
}

}  // namespace perfatlas
