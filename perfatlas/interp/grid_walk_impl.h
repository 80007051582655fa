// SPDX-License-Identifier: Apache-2.0
// One question to a GridInterpolator.
#pragma once

#include "perfatlas/interp/grid.h"
#include "perfatlas/interp/log_axis_impl.h"

namespace perfatlas {

class GridWalk {
 public:
  /// `trace`: where supports and distance are noted; null: they are not wanted.
  GridWalk(const GridInterpolator& grid, const Question& question, Estimate* trace);
  Reading read();

 private:
  /// Leaves that enter the mean of a hold; one more sets the radius.
  static constexpr size_t kNeighbours = 4;
  struct Found {
    bool found = false;
    PoweredLatency value{};
  };

  Found resolve(size_t level, uint32_t begin, uint32_t end);
  Found below(size_t level, uint32_t node);
  Found blend(size_t level, uint32_t low, uint32_t high);
  Found bridge(size_t level, const Found& arm, uint32_t node);
  Found leaf_value(uint32_t leaf);

  Reading finish_inside(const PoweredLatency& value);
  double raised_to_sol(double latency_ms) const;
  Reading hold_end();
  Reading hold_nearest();
  static Reading miss(std::string_view reason);
  double utilisation(uint32_t leaf) const;  // 0 when unknown

  size_t supports() const { return trace_ != nullptr ? trace_->support_count : 0; }
  void forget_supports_from(size_t first);
  void note(uint32_t leaf, double weight);
  void note_distance(double octaves);

  double sol(const Coordinates& at) const { return question_.sol ? question_.sol(at) : 0; }
  double energy(uint32_t leaf) const { return grid_.energy_mj_.empty() ? kUnknown : grid_.energy_mj_[leaf]; }
  Coordinates leaf_coordinates(uint32_t leaf) const;

  const GridInterpolator& grid_;
  const Question& question_;
  Estimate* trace_;
  std::array<uint32_t, kMaxAxes> gone_;  // per level, the node that disappears with the left-out point
  uint32_t leaf_ = kNone;                // the last one read
  bool blended_ = false;
  bool bridged_ = false;
};

}  // namespace perfatlas
