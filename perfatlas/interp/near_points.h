// SPDX-License-Identifier: Apache-2.0
// The nearest of many points in a few dimensions: a k-d tree over a fixed set.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace perfatlas {

/// A point and its squared distance from the one that was asked for.
struct NearPoint {
  uint32_t index = 0;
  double squared = 0;
};

/// Immutable once made; may be asked from many threads at once.
class NearPoints {
 public:
  /// `coordinates`: `dimensions` values per point, copied. REQUIRES: dimensions >= 1.
  NearPoints(size_t dimensions, std::vector<double> coordinates);

  size_t size() const { return dimensions_ == 0 ? 0 : coordinates_.size() / dimensions_; }
  std::span<const double> at(uint32_t index) const {
    return {&coordinates_[index * dimensions_], dimensions_};
  }
  /// Writes the `out.size()` nearest points (fewer when there are fewer) that are at least `beyond` away, nearest
  /// first, of equals the lower index; returns how many. REQUIRES: beyond >= 0; at most kMost asked for.
  size_t nearest(std::span<const double> from, double beyond, std::span<NearPoint> out) const;

  static constexpr size_t kMost = 32;

 private:
  struct Node {
    uint32_t begin = 0, end = 0;  // of order_; a leaf when it has no children
    uint32_t left = 0, right = 0;
    size_t dimension = 0;
    double cut = 0;
  };
  struct Search;
  uint32_t build(uint32_t begin, uint32_t end);
  void visit(uint32_t node, Search& search) const;

  size_t dimensions_;
  std::vector<double> coordinates_;
  std::vector<uint32_t> order_;
  std::vector<double> packed_;  // coordinates in the order of order_
  std::vector<Node> nodes_;
};

}  // namespace perfatlas
