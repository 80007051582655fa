// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "perfatlas/interp/grid_walk_impl.h"

namespace perfatlas {

NearestLeaves::NearestLeaves(const GridInterpolator& grid, const Question& question, uint32_t gone_leaf)
    : grid_(grid), question_(question), gone_leaf_(gone_leaf) {
  for (size_t i = 0; i < grid.layout_.axes; ++i) octave_[i] = octave_of(question.at[i]);
  search(0, 0, uint32_t(grid.levels_[0].keys.size()), 0);
}

// From the position of the question outwards, nearer side first: both sides only get farther away, so the search
// ends as soon as both are farther than the worst leaf kept.
void NearestLeaves::search(size_t level, uint32_t begin, uint32_t end, double square) {
  const std::vector<int64_t>& keys = grid_.levels_[level].keys;
  auto right = uint32_t(std::lower_bound(keys.begin() + begin, keys.begin() + end, question_.at[level]) -
                        keys.begin());
  uint32_t left = right;  // one past the next node on this side
  const auto square_to = [&](uint32_t node) {
    if (keys[node] == question_.at[level]) return square;
    const double step = octave_of(keys[node]) - octave_[level];
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

void NearestLeaves::visit(size_t level, uint32_t node, double square) {
  path_[level] = grid_.levels_[level].keys[node];
  if (level + 1 == grid_.layout_.axes) return offer(node, square);
  const auto& starts = grid_.levels_[level].first_child;
  search(level + 1, starts[node], starts[node + 1], square);
}

void NearestLeaves::offer(uint32_t leaf, double square) {
  if (leaf == gone_leaf_) return;
  const auto nearer = [](const Leaf& a, const Leaf& b) {
    return a.square != b.square ? a.square < b.square : a.leaf < b.leaf;
  };
  Leaf candidate{square, leaf, 0};
  if (count_ == best_.size() && !nearer(candidate, best_.back())) return;
  const double sol_ms = question_.sol(path_);
  if (!(sol_ms > 0)) return;
  candidate.utilisation = sol_ms / grid_.latency_ms_[leaf];
  if (count_ < best_.size()) ++count_;
  size_t at = count_ - 1;
  for (; at > 0 && nearer(candidate, best_[at - 1]); --at) best_[at] = best_[at - 1];
  best_[at] = candidate;
}

}  // namespace perfatlas
