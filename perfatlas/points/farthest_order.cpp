// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/points/farthest_order.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

constexpr uint32_t kBoxMembers = 32;  // fewer make more boxes than the saved distances are worth
constexpr double kTaken = -1;
constexpr double kRounding = 1e9;  // ties are decided on nine digits, the same on every machine

double squared(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (size_t d = 0; d < a.size(); ++d) sum += (a[d] - b[d]) * (a[d] - b[d]);
  return std::round(sum * kRounding) / kRounding;
}

}  // namespace

FarthestOrder::FarthestOrder(const Positions& positions)
    : positions_(positions),
      members_(positions.size()),
      box_of_(positions.size()),
      distance_(positions.size(), std::numeric_limits<double>::infinity()) {
  PERFATLAS_ASSERT(positions.size() > 0);
  std::iota(members_.begin(), members_.end(), uint32_t{0});
  split(0, uint32_t(members_.size()));
}

/// Halves the members along their widest dimension until they fit a box.
void FarthestOrder::split(uint32_t begin, uint32_t end) {
  if (end - begin <= kBoxMembers) return close_box(begin, end);
  size_t widest = 0;
  double width = -1;
  for (size_t d = 0; d < positions_.dimensions; ++d) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (uint32_t i = begin; i < end; ++i) {
      low = std::min(low, positions_.at(members_[i])[d]);
      high = std::max(high, positions_.at(members_[i])[d]);
    }
    if (high - low > width) {
      width = high - low;
      widest = d;
    }
  }
  const uint32_t middle = begin + (end - begin) / 2;
  std::nth_element(
      members_.begin() + begin, members_.begin() + middle, members_.begin() + end,
      [&](uint32_t a, uint32_t b) { return positions_.at(a)[widest] < positions_.at(b)[widest]; });
  split(begin, middle);
  split(middle, end);
}

void FarthestOrder::close_box(uint32_t begin, uint32_t end) {
  Box box{.begin = begin, .end = end, .farthest = std::numeric_limits<double>::infinity()};
  box.low.assign(positions_.dimensions, std::numeric_limits<double>::infinity());
  box.high.assign(positions_.dimensions, -std::numeric_limits<double>::infinity());
  box.farthest_index = *std::min_element(members_.begin() + begin, members_.begin() + end);
  for (uint32_t i = begin; i < end; ++i) {
    box_of_[members_[i]] = uint32_t(boxes_.size());
    for (size_t d = 0; d < positions_.dimensions; ++d) {
      box.low[d] = std::min(box.low[d], positions_.at(members_[i])[d]);
      box.high[d] = std::max(box.high[d], positions_.at(members_[i])[d]);
    }
  }
  boxes_.push_back(std::move(box));
}

uint32_t FarthestOrder::nearest_to_centre() const {
  std::vector<double> centre(positions_.dimensions);
  for (size_t d = 0; d < centre.size(); ++d) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const Box& box : boxes_) {
      low = std::min(low, box.low[d]);
      high = std::max(high, box.high[d]);
    }
    centre[d] = (low + high) / 2;
  }
  uint32_t nearest = 0;
  for (uint32_t i = 1; i < positions_.size(); ++i)
    if (squared(positions_.at(i), centre) < squared(positions_.at(nearest), centre)) nearest = i;
  return nearest;
}

uint32_t FarthestOrder::next() {
  PERFATLAS_ASSERT(taken_ < positions_.size());
  uint32_t chosen = 0;
  if (taken_ == 0) {
    chosen = nearest_to_centre();
  } else {
    const Box* best = &boxes_.front();
    for (const Box& box : boxes_)
      if (box.farthest > best->farthest ||
          (box.farthest == best->farthest && box.farthest_index < best->farthest_index))
        best = &box;
    chosen = best->farthest_index;
  }
  take(chosen);
  return chosen;
}

void FarthestOrder::take(uint32_t index) {
  if (is_taken(index)) return;
  distance_[index] = kTaken;
  ++taken_;
  const std::span<const double> from = positions_.at(index);
  for (Box& box : boxes_) {
    const bool own = &box == &boxes_[box_of_[index]];
    double gap = 0;
    for (size_t d = 0; d < from.size(); ++d) {
      const double outside = std::max({box.low[d] - from[d], from[d] - box.high[d], 0.0});
      gap += outside * outside;
    }
    // Nothing in a box farther away than its own radius can come nearer; one rounding step is left as margin.
    if (own || gap < box.farthest + 1 / kRounding) update(box, from);
  }
}

void FarthestOrder::update(Box& box, std::span<const double> from) {
  box.farthest = kTaken;
  box.farthest_index = std::numeric_limits<uint32_t>::max();
  for (uint32_t i = box.begin; i < box.end; ++i) {
    const uint32_t member = members_[i];
    double& distance = distance_[member];
    if (distance < 0) continue;
    distance = std::min(distance, squared(positions_.at(member), from));
    if (distance > box.farthest || (distance == box.farthest && member < box.farthest_index)) {
      box.farthest = distance;
      box.farthest_index = member;
    }
  }
}

}  // namespace perfatlas
