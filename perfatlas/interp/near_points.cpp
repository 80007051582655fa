// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/near_points.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

constexpr uint32_t kLeaf = 16;

}  // namespace

NearPoints::NearPoints(size_t dimensions, std::vector<double> coordinates)
    : dimensions_(dimensions),
      coordinates_(std::move(coordinates)),
      order_(coordinates_.size() / dimensions) {
  std::iota(order_.begin(), order_.end(), uint32_t{0});
  if (!order_.empty()) build(0, uint32_t(order_.size()));
  packed_.reserve(coordinates_.size());
  for (const uint32_t index : order_)
    for (const double c : at(index)) packed_.push_back(c);
}

uint32_t NearPoints::build(uint32_t begin, uint32_t end) {
  const auto own = uint32_t(nodes_.size());
  nodes_.push_back({begin, end});
  if (end - begin <= kLeaf) return own;
  size_t widest = 0;
  double width = 0;
  for (size_t d = 0; d < dimensions_; ++d) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (uint32_t i = begin; i < end; ++i) {
      low = std::min(low, at(order_[i])[d]);
      high = std::max(high, at(order_[i])[d]);
    }
    if (high - low > width) {
      width = high - low;
      widest = d;
    }
  }
  if (width == 0) return own;  // all at one place
  const uint32_t middle = begin + (end - begin) / 2;
  std::nth_element(order_.begin() + begin, order_.begin() + middle, order_.begin() + end,
                   [&](uint32_t a, uint32_t b) { return at(a)[widest] < at(b)[widest]; });
  const double cut = at(order_[middle])[widest];
  const uint32_t left = build(begin, middle), right = build(middle, end);
  nodes_[own].left = left;
  nodes_[own].right = right;
  nodes_[own].dimension = widest;
  nodes_[own].cut = cut;
  return own;
}

/// The best so far, nearest first.
struct NearPoints::Search {
  std::span<const double> from;
  double least_squared = 0;
  std::span<NearPoint> out;
  size_t found = 0;

  double reach() const {
    return found < out.size() ? std::numeric_limits<double>::infinity() : out[found - 1].squared;
  }
  void offer(NearPoint point) {
    if (point.squared < least_squared) return;
    const auto before = [](const NearPoint& a, const NearPoint& b) {
      return a.squared != b.squared ? a.squared < b.squared : a.index < b.index;
    };
    if (found == out.size() && !before(point, out[found - 1])) return;
    if (found < out.size()) ++found;
    size_t at = found - 1;
    for (; at > 0 && before(point, out[at - 1]); --at) out[at] = out[at - 1];
    out[at] = point;
  }
};

void NearPoints::visit(uint32_t node, Search& search) const {
  const Node& n = nodes_[node];
  if (n.right == 0) {
    for (uint32_t i = n.begin; i < n.end; ++i) {
      const double* const point = &packed_[i * dimensions_];
      double sum = 0;
      for (size_t d = 0; d < dimensions_; ++d)
        sum += (point[d] - search.from[d]) * (point[d] - search.from[d]);
      search.offer({order_[i], sum});
    }
    return;
  }
  const double off = search.from[n.dimension] - n.cut;
  visit(off < 0 ? n.left : n.right, search);
  if (off * off <= search.reach()) visit(off < 0 ? n.right : n.left, search);
}

size_t NearPoints::nearest(std::span<const double> from, double beyond, std::span<NearPoint> out) const {
  PERFATLAS_ASSERT(out.size() <= kMost);
  if (order_.empty() || out.empty()) return 0;
  Search search{from, beyond * beyond, out};
  visit(0, search);
  return search.found;
}

}  // namespace perfatlas
