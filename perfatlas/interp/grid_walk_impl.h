// SPDX-License-Identifier: Apache-2.0
// One question to a GridInterpolator.
#pragma once

#include "perfatlas/interp/grid.h"
#include "perfatlas/interp/log_axis_impl.h"

namespace perfatlas {

class GridWalk {
 public:
  GridWalk(const GridInterpolator& grid, const Question& question);
  Estimate estimate();

 private:
  struct Found {
    bool found = false;
    PoweredLatency value{};
  };

  Found resolve(size_t level, uint32_t begin, uint32_t end);
  Found below(size_t level, uint32_t node);
  Found blend(size_t level, uint32_t low, uint32_t high);
  Found bridge(size_t level, const Found& arm, uint32_t node);
  Found leaf_value(uint32_t leaf);

  void finish_inside(const PoweredLatency& value);
  void raise_to_sol();
  void hold_end();
  void hold_nearest();
  void miss(std::string_view reason);

  double sol(const Coordinates& at) const { return question_.sol ? question_.sol(at) : 0; }
  double energy(uint32_t leaf) const { return grid_.energy_mj_.empty() ? kUnknown : grid_.energy_mj_[leaf]; }
  Coordinates leaf_coordinates(uint32_t leaf) const;

  const GridInterpolator& grid_;
  const Question& question_;
  std::array<uint32_t, kMaxAxes> gone_;  // per level, the node that disappears with the left-out point
  Estimate estimate_;
  bool bridged_ = false;
};

/// The leaves nearest to a question in octaves, nearest first; ties in ascending order of keys. Leaves without a
/// speed of light do not count.
class NearestLeaves {
 public:
  struct Leaf {
    double square = 0;  // of the distance
    uint32_t leaf = 0;
    double utilisation = 0;  // speed of light / latency
  };

  NearestLeaves(const GridInterpolator& grid, const Question& question, uint32_t gone_leaf);

  /// One more than enter the mean: the next one sets the radius.
  static constexpr size_t kNeighbours = 4;
  std::span<const Leaf> found() const { return {best_.data(), count_}; }

 private:
  void search(size_t level, uint32_t begin, uint32_t end, double square);
  void visit(size_t level, uint32_t node, double square);
  void offer(uint32_t leaf, double square);
  bool hopeless(double square) const { return count_ == best_.size() && square > best_.back().square; }

  const GridInterpolator& grid_;
  const Question& question_;
  uint32_t gone_leaf_;
  std::array<double, kMaxAxes> octave_{};
  Coordinates path_{};
  std::array<Leaf, kNeighbours + 1> best_{};
  size_t count_ = 0;
};

}  // namespace perfatlas
