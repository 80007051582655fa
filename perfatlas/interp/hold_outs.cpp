// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/hold_outs.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <random>

namespace perfatlas {
namespace {

using Indices = std::vector<uint32_t>;

class Maker {
 public:
  Maker(const HoldOutPlan& plan, std::span<const MeasuredPoint> points)
      : plan_(plan), points_(points), order_(points.size()), random_(plan.seed) {
    std::iota(order_.begin(), order_.end(), 0u);
    std::sort(order_.begin(), order_.end(),
              [&](uint32_t a, uint32_t b) { return points[a].at < points[b].at; });
    for (size_t d = 0; d < plan.axes; ++d)
      for (const uint32_t i : order_) by_key_[d][points[i].at[d]].push_back(i);
  }

  std::vector<HoldOut> make() {
    for (size_t d = 0; d < plan_.axes; ++d) {
      planes(d);
      ends(d);
    }
    if (plan_.axes > 1) off_grid(plan_.axes, HoldOutKind::off_grid, scaled(400, 2, 60));
    if (plan_.site_axes > 0) sites();
    if (plan_.axes > 1) line_ends();
    single_rows();
    return std::move(made_);
  }

 private:
  using Keys = std::map<int64_t, Indices>;

  /// One question per `points` points, within bounds.
  size_t scaled(size_t points, size_t least, size_t most) const {
    return std::clamp(points_.size() / points, least, most);
  }

  template <class T>
  std::vector<T> sample(const std::vector<T>& from, size_t count) {
    std::vector<T> chosen;
    std::sample(from.begin(), from.end(), std::back_inserter(chosen), count, random_);
    return chosen;
  }

  void add(HoldOutKind kind, size_t axis, Indices removed, size_t asked) {
    if (removed.empty() || removed.size() == points_.size()) return;
    Indices questions = sample(removed, asked);
    made_.push_back({kind, axis, std::move(removed), std::move(questions)});
  }

  std::vector<int64_t> inner_keys(size_t axis) const {
    std::vector<int64_t> keys;
    for (const auto& [key, unused] : by_key_[axis]) keys.push_back(key);
    if (keys.size() < 3) return {};
    return {keys.begin() + 1, keys.end() - 1};
  }

  void planes(size_t axis) {
    std::vector<int64_t> keys = inner_keys(axis);
    if (keys.empty()) return;
    if (plan_.axes == 1) keys = sample(keys, 3);
    const size_t each = std::max<size_t>(1, scaled(30, 20, 1200) / keys.size());
    for (const int64_t key : keys) add(HoldOutKind::plane, axis, by_key_[axis].at(key), each);
  }

  void ends(size_t axis) {
    const Keys& keys = by_key_[axis];
    if (keys.size() < 3) return;
    const size_t each = scaled(80, 10, 200);
    add(HoldOutKind::front_max, axis, keys.rbegin()->second, each);
    add(HoldOutKind::front_min, axis, keys.begin()->second, each);
    Indices upper;
    auto key = keys.rbegin();
    for (size_t i = 0; i < keys.size() / 3; ++i, ++key)
      upper.insert(upper.end(), key->second.begin(), key->second.end());
    std::sort(upper.begin(), upper.end(),
              [&](uint32_t a, uint32_t b) { return points_[a].at < points_[b].at; });
    add(HoldOutKind::upper_third, axis, upper, scaled(40, 20, 400));
  }

  /// One inner key on each of the leading axes; asked: what lies on all of them.
  void off_grid(size_t axes, HoldOutKind kind, size_t draws) {
    std::vector<std::vector<int64_t>> inner;
    size_t with_inner = 0;
    for (size_t d = 0; d < axes; ++d) with_inner += !inner.emplace_back(inner_keys(d)).empty();
    if (with_inner == 0) return;
    size_t found = 0;
    for (size_t draw = 0; draw < 20 * draws && found < draws;
         ++draw) {  // most points of a small box are edge points
      const MeasuredPoint& near = points_[order_[random_() % order_.size()]];
      const auto on = [&](const MeasuredPoint& p, size_t d) {
        return !inner[d].empty() && p.at[d] == near.at[d];
      };
      bool crossing = true;
      for (size_t d = 0; d < axes; ++d)
        crossing &= inner[d].empty() || std::binary_search(inner[d].begin(), inner[d].end(), near.at[d]);
      if (!crossing) continue;
      HoldOut h{kind, 0, {}, {}};
      for (const uint32_t i : order_) {
        size_t met = 0;
        for (size_t d = 0; d < axes; ++d) met += on(points_[i], d);
        if (met > 0) h.removed.push_back(i);
        bool same = true;
        for (size_t d = 0; d < axes; ++d) same &= points_[i].at[d] == near.at[d];
        if (same) h.asked.push_back(i);
      }
      if (h.removed.size() == points_.size()) continue;
      made_.push_back(std::move(h));
      ++found;
    }
  }

  void sites() {
    const size_t draws = scaled(2000, 4, 16);
    off_grid(plan_.site_axes, HoldOutKind::off_grid_site, draws);
    std::map<Coordinates, Indices> by_site;
    for (const uint32_t i : order_) {
      Coordinates site{};
      for (size_t d = 0; d < plan_.site_axes; ++d) site[d] = points_[i].at[d];
      by_site[site].push_back(i);
    }
    std::vector<Coordinates> inner;
    for (const auto& [site, unused] : by_site) {
      bool is_inner = true;
      for (size_t d = 0; d < plan_.site_axes; ++d)
        is_inner &= site[d] > by_key_[d].begin()->first && site[d] < by_key_[d].rbegin()->first;
      if (is_inner) inner.push_back(site);
    }
    for (const Coordinates& site : sample(inner, draws))
      add(HoldOutKind::site, 0, by_site.at(site), by_site.at(site).size());
  }

  void line_ends() {
    Indices last;
    const auto same_line = [&](uint32_t a, uint32_t b) {
      for (size_t d = 0; d + 1 < plan_.axes; ++d)
        if (points_[a].at[d] != points_[b].at[d]) return false;
      return true;
    };
    size_t length = 1;
    for (size_t i = 0; i < order_.size(); ++i, ++length) {
      if (i + 1 < order_.size() && same_line(order_[i], order_[i + 1])) continue;
      if (length > 1) last.push_back(order_[i]);
      length = 0;
    }
    for (const uint32_t i : sample(last, scaled(550, 8, 60)))
      add(HoldOutKind::line_end, plan_.axes - 1, {i}, 1);
  }

  void single_rows() {
    const size_t count = plan_.axes == 1 ? 24 : scaled(160, 8, 60);
    for (const uint32_t i : sample(order_, count)) add(HoldOutKind::one_row, 0, {i}, 1);
  }

  HoldOutPlan plan_;
  std::span<const MeasuredPoint> points_;
  Indices order_;  // by coordinates
  std::mt19937_64 random_;
  std::array<Keys, kMaxAxes> by_key_;
  std::vector<HoldOut> made_;
};

}  // namespace

HoldOutRange range_of(HoldOutKind kind) {
  switch (kind) {
    case HoldOutKind::plane:
    case HoldOutKind::off_grid:
    case HoldOutKind::off_grid_site:
    case HoldOutKind::site:
      return HoldOutRange::inside;
    case HoldOutKind::line_end:
    case HoldOutKind::front_max:
    case HoldOutKind::upper_third:
      return HoldOutRange::beyond;
    case HoldOutKind::one_row:
    case HoldOutKind::front_min:
    case HoldOutKind::missing_split:
    case HoldOutKind::missing_layer:
      break;
  }
  return HoldOutRange::other;
}

std::vector<HoldOut> hold_outs(const HoldOutPlan& plan, std::span<const MeasuredPoint> points) {
  if (points.size() < 2) return {};
  return Maker(plan, points).make();
}

}  // namespace perfatlas
