// SPDX-License-Identifier: Apache-2.0
// Points on nested axes, stored flat, and the search for the nearest of them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "perfatlas/interp/estimate.h"

namespace perfatlas {

/// The values of one axis over all its parents; the children of node i are the nodes
/// [first_child[i], first_child[i + 1]) of the next level. Nodes of the last level are the leaves.
struct NestedLevel {
  std::vector<int64_t> keys;
  std::vector<double> scaled;  // the keys on the scale of distances, not decreasing with the key
  std::vector<uint32_t> first_child;
};

/// REQUIRES: `sorted` ascends strictly. `scale(level, key)` gives NestedLevel::scaled.
template <class Scale>
std::vector<NestedLevel> nest(std::span<const Coordinates> sorted, size_t axes, Scale scale) {
  std::vector<NestedLevel> levels(axes);
  for (size_t leaf = 0; leaf < sorted.size(); ++leaf) {
    size_t level = 0;  // the first axis on which this leaf differs from the one before
    if (leaf > 0)
      while (sorted[leaf - 1][level] == sorted[leaf][level]) ++level;
    for (; level < axes; ++level) {
      levels[level].keys.push_back(sorted[leaf][level]);
      levels[level].scaled.push_back(scale(level, sorted[leaf][level]));
      if (level + 1 < axes) levels[level].first_child.push_back(uint32_t(levels[level + 1].keys.size()));
    }
  }
  for (size_t level = 0; level + 1 < axes; ++level)
    levels[level].first_child.push_back(uint32_t(levels[level + 1].keys.size()));
  return levels;
}

/// The `N` leaves nearest to a place (Euclid on the scale of distances) that `accept(leaf)` takes, nearest first; ties
/// in ascending order of keys.
template <size_t N, class Accept>
class NearestLeaves {
 public:
  struct Leaf {
    double square = 0;  // of the distance
    uint32_t leaf = 0;
  };

  NearestLeaves(const std::vector<NestedLevel>& levels, const std::array<double, kMaxAxes>& scaled,
                Accept accept)
      : levels_(levels), at_(scaled), accept_(accept) {
    search(0, 0, uint32_t(levels[0].keys.size()), 0);
  }

  std::span<const Leaf> found() const { return {best_.data(), count_}; }

 private:
  // From the place outwards, nearer side first: both sides only get farther away, so the search ends as soon as both
  // are farther than the worst leaf kept.
  void search(size_t level, uint32_t begin, uint32_t end, double square) {
    const std::vector<double>& scaled = levels_[level].scaled;
    auto right =
        uint32_t(std::lower_bound(scaled.begin() + begin, scaled.begin() + end, at_[level]) - scaled.begin());
    uint32_t left = right;  // one past the next node on this side
    const auto square_to = [&](uint32_t node) {
      const double step = scaled[node] - at_[level];
      return square + step * step;
    };
    double to_left = left > begin ? square_to(left - 1) : 0;
    double to_right = right < end ? square_to(right) : 0;
    while (left > begin || right < end) {
      if (right == end || (left > begin && to_left <= to_right)) {
        if (hopeless(to_left)) {
          begin = left;
          continue;
        }
        visit(level, --left, to_left);
        if (left > begin) to_left = square_to(left - 1);
      } else {
        if (hopeless(to_right)) {
          end = right;
          continue;
        }
        visit(level, right++, to_right);
        if (right < end) to_right = square_to(right);
      }
    }
  }

  void visit(size_t level, uint32_t node, double square) {
    if (level + 1 == levels_.size()) return offer({square, node});
    const std::vector<uint32_t>& starts = levels_[level].first_child;
    search(level + 1, starts[node], starts[node + 1], square);
  }

  static bool nearer(const Leaf& a, const Leaf& b) {
    return a.square != b.square ? a.square < b.square : a.leaf < b.leaf;
  }

  void offer(Leaf candidate) {
    if (count_ == N && !nearer(candidate, best_.back())) return;
    if (!accept_(candidate.leaf)) return;
    if (count_ < N) ++count_;
    size_t at = count_ - 1;
    for (; at > 0 && nearer(candidate, best_[at - 1]); --at) best_[at] = best_[at - 1];
    best_[at] = candidate;
  }

  bool hopeless(double square) const { return count_ == N && square > best_.back().square; }

  const std::vector<NestedLevel>& levels_;
  const std::array<double, kMaxAxes>& at_;
  Accept accept_;
  std::array<Leaf, N> best_{};
  size_t count_ = 0;
};

}  // namespace perfatlas
