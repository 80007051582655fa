// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "perfatlas/interp/grid_walk_impl.h"

namespace perfatlas {

GridWalk::GridWalk(const GridInterpolator& grid, const Question& question, Estimate* trace)
    : grid_(grid), question_(question), trace_(trace) {
  gone_.fill(kNone);
  if (question.without == kNoPoint) return;
  // A node disappears with the point when it has no other leaf below it.
  uint32_t node = grid.leaf_of_point_[question.without];
  for (size_t level = grid.layout_.axes; level-- > 0;) {
    gone_[level] = node;
    if (level == 0) break;
    const auto& starts = grid.levels_[level - 1].first_child;
    const auto parent = uint32_t(std::upper_bound(starts.begin(), starts.end(), node) - starts.begin()) - 1;
    if (starts[parent + 1] - starts[parent] > 1) break;
    node = parent;
  }
}

Reading GridWalk::read() {
  const Found inside = resolve(0, 0, uint32_t(grid_.levels_[0].keys.size()));
  if (inside.found) return finish_inside(inside.value);
  forget_supports_from(0);
  if (!question_.sol || !(sol(question_.at) > 0))
    return miss("the case lies beyond the measured points and no speed of light is known to extend them");
  return grid_.layout_.axes == 1 ? hold_end() : hold_nearest();
}

void GridWalk::forget_supports_from(size_t first) {
  if (trace_ != nullptr) trace_->support_count = first;
}

void GridWalk::note(uint32_t leaf, double weight) {
  if (trace_ != nullptr) add_support(*trace_, grid_.point_[leaf], weight);
}

void GridWalk::note_distance(double octaves) {
  if (trace_ != nullptr) trace_->distance = octaves;
}

GridWalk::Found GridWalk::resolve(size_t level, uint32_t begin, uint32_t end) {
  const std::vector<int64_t>& keys = grid_.levels_[level].keys;
  const int64_t wanted = question_.at[level];
  const uint32_t gone = gone_[level];
  auto at = uint32_t(std::lower_bound(keys.begin() + begin, keys.begin() + end, wanted) - keys.begin());
  uint32_t low = at;  // one past the lower neighbour
  if (at < end && keys[at] == wanted) {
    if (at != gone) return below(level, at);
    ++at;
  }
  if (at == gone) ++at;
  if (low > begin && low - 1 == gone) --low;
  if (low == begin || at >= end) return {};
  return blend(level, low - 1, at);
}

GridWalk::Found GridWalk::below(size_t level, uint32_t node) {
  if (level + 1 == grid_.layout_.axes) return leaf_value(node);
  const auto& starts = grid_.levels_[level].first_child;
  return resolve(level + 1, starts[node], starts[node + 1]);
}

GridWalk::Found GridWalk::leaf_value(uint32_t leaf) {
  leaf_ = leaf;
  note(leaf, 1);
  const double latency = grid_.latency_ms_[leaf];
  return {true, {latency, power_of(energy(leaf), latency)}};
}

GridWalk::Found GridWalk::blend(size_t level, uint32_t low, uint32_t high) {
  const size_t first = supports();
  const Found lower = below(level, low);
  if (!lower.found) forget_supports_from(first);
  const size_t middle = supports();
  const Found upper = below(level, high);
  if (!upper.found) forget_supports_from(middle);
  if (!lower.found && !upper.found) return {};
  if (!upper.found) return bridge(level, lower, low);
  if (!lower.found) return bridge(level, upper, high);

  blended_ = true;
  const std::vector<int64_t>& keys = grid_.levels_[level].keys;
  const double weight = double(question_.at[level] - keys[low]) / double(keys[high] - keys[low]);
  for (size_t i = first; i < supports(); ++i) trace_->supports[i].weight *= i < middle ? 1 - weight : weight;
  const double l = lower.value.latency_ms, h = upper.value.latency_ms;
  double latency = l + (h - l) * weight;
  if (grid_.layout_.transforms[level] == Transform::sqrt) {
    const double root = std::sqrt(l) + (std::sqrt(h) - std::sqrt(l)) * weight;
    latency = root * root;
  }
  const double power = lower.value.power_w + (upper.value.power_w - lower.value.power_w) * weight;
  return {true, {latency, power}};
}

GridWalk::Found GridWalk::bridge(size_t level, const Found& arm, uint32_t node) {
  if (!question_.sol) return {};
  bridged_ = true;
  Coordinates there = question_.at;
  there[level] = grid_.levels_[level].keys[node];
  const double here_ms = sol(question_.at), there_ms = sol(there);
  Found found = arm;
  if (here_ms > 0 && there_ms > 0 && std::isfinite(here_ms) && std::isfinite(there_ms))
    found.value.latency_ms *= here_ms / there_ms;
  return found;
}

Reading GridWalk::finish_inside(const PoweredLatency& value) {
  if (!blended_ && !bridged_) return {EstimateKind::exact, value.latency_ms, energy(leaf_), {}};
  Reading reading{bridged_ ? EstimateKind::held : EstimateKind::interpolated, value.latency_ms};
  if (!bridged_ && grid_.layout_.raise_blends) reading.latency_ms = raised_to_sol(value.latency_ms);
  reading.energy_mj = value.power_w * reading.latency_ms;
  if (trace_ == nullptr) return reading;
  trace_->distance = INFINITY;
  for (const Support& s : trace_->support()) {
    const Coordinates there = leaf_coordinates(grid_.leaf_of_point_[s.point]);
    trace_->distance = std::min(trace_->distance, octaves_between(question_.at, there, grid_.layout_.axes));
  }
  return reading;
}

double GridWalk::raised_to_sol(double latency_ms) const {
  const double bound = sol(question_.at);
  if (!(latency_ms < bound)) return latency_ms;
  for (const Support& s : trace_->support()) {
    const uint32_t leaf = grid_.leaf_of_point_[s.point];
    // Points that beat the speed of light say that the bound is wrong, not the blend.
    if (grid_.latency_ms_[leaf] < sol(leaf_coordinates(leaf))) return latency_ms;
  }
  return bound;
}

Reading GridWalk::hold_end() {
  const std::vector<int64_t>& keys = grid_.levels_[0].keys;
  uint32_t first = 0, last = uint32_t(keys.size()) - 1;
  if (first == gone_[0]) ++first;
  if (last == gone_[0]) --last;
  if (first > last || last == kNone) return miss("there is no other point to hold the efficiency of");
  const uint32_t anchor = question_.at[0] < keys[first] ? first : last;
  const Coordinates there = leaf_coordinates(anchor);
  const double anchor_sol = sol(there);
  const double latency = grid_.latency_ms_[anchor];
  if (!(anchor_sol > 0) || !(latency > 0))
    return miss("the efficiency of the nearest point is unknown: no speed of light, or a latency of 0");
  Reading reading{EstimateKind::held, sol(question_.at) / (anchor_sol / latency)};
  reading.energy_mj = power_of(energy(anchor), latency) * reading.latency_ms;
  note_distance(octaves_between(question_.at, there, 1));
  note(anchor, 1);
  return reading;
}

Reading GridWalk::hold_nearest() {
  std::array<double, kMaxAxes> octaves{};
  for (size_t i = 0; i < grid_.layout_.axes; ++i) octaves[i] = octave_of(question_.at[i]);
  const uint32_t gone = gone_[grid_.layout_.axes - 1];
  const auto accept = [&](uint32_t leaf) { return leaf != gone && utilisation(leaf) > 0; };
  const NearestLeaves<kNeighbours + 1, decltype(accept)> nearest(grid_.levels_, octaves, accept);
  const auto found = nearest.found();
  if (found.empty()) return miss("no measured point has a known speed of light");
  const size_t used = std::min(found.size(), kNeighbours);
  const double radius = found.size() > used ? std::sqrt(found[used].square) : INFINITY;
  std::array<double, kNeighbours> weights{};
  double total = 0;
  for (size_t i = 0; i < used; ++i) {
    const double d = std::sqrt(found[i].square);
    const double share = std::max(radius - d, 0.0) / (radius * d + 1e-12);
    weights[i] = std::isinf(radius) ? 1 / (found[i].square + 1e-12) : share * share;
    total += weights[i];
  }
  if (!(total > 0)) {  // all at the same distance as the fifth
    weights.fill(1);
    total = double(used);
  }
  double mean = 0, power = 0;
  for (size_t i = 0; i < used; ++i) {
    const uint32_t leaf = found[i].leaf;
    mean += weights[i] * utilisation(leaf);
    power += weights[i] * power_of(energy(leaf), grid_.latency_ms_[leaf]);
    note(leaf, weights[i] / total);
  }
  note_distance(std::sqrt(found[0].square));
  Reading reading{EstimateKind::held, sol(question_.at) / (mean / total)};
  reading.energy_mj = power / total * reading.latency_ms;
  return reading;
}

double GridWalk::utilisation(uint32_t leaf) const {
  if (!grid_.utilisation_.empty()) return grid_.utilisation_[leaf];
  const double latency = grid_.latency_ms_[leaf];
  return latency > 0 ? sol(leaf_coordinates(leaf)) / latency : 0;
}

Reading GridWalk::miss(std::string_view reason) {
  Reading reading;
  reading.miss_reason = reason;
  return reading;
}

Coordinates GridWalk::leaf_coordinates(uint32_t leaf) const {
  Coordinates at{};
  uint32_t node = leaf;
  for (size_t level = grid_.layout_.axes; level-- > 0;) {
    at[level] = grid_.levels_[level].keys[node];
    if (level == 0) break;
    const auto& starts = grid_.levels_[level - 1].first_child;
    node = uint32_t(std::upper_bound(starts.begin(), starts.end(), node) - starts.begin()) - 1;
  }
  return at;
}

}  // namespace perfatlas
