// SPDX-License-Identifier: Apache-2.0
// What trusted cells say about a cell: the recursive form of the query, over the keys that are measured under each
// node instead of all keys. An arm that lacks the inner key extrapolates within itself (innermost axis first), and both
// arms count: "only the arm that has it" costs a point of p90 in staircases.
#pragma once

#include <array>
#include <map>
#include <vector>

#include "perfatlas/interp/atlas_cells.h"

namespace perfatlas {

class AtlasFill {
 public:
  struct Value {
    double latency_ms = 0;
    double power_w = 0;   // not a number when unknown
    bool beyond = false;  // an axis was extrapolated
    HoleKind kind;        // of the outermost axis that was not met exactly
  };

  /// REQUIRES: one trusted cell; `cells` outlives it.
  explicit AtlasFill(const AtlasCells& cells);

  Value at(size_t cell) const;

  /// Adds the trusted cells behind at(cell), with parts of `share` by what they weigh in it; those that only give the
  /// slope of a line weigh nothing.
  void add_support(size_t cell, double share, std::map<size_t, double>& shares) const;

 private:
  struct Line;
  struct Arms;
  Value resolve(size_t axis, size_t node, double* at) const;
  Value combine(size_t axis, const Line& line, double* at) const;
  void add_support(size_t axis, size_t node, double* at, double share,
                   std::map<size_t, double>& shares) const;
  Line line_of(size_t axis, size_t node) const;
  static Arms arms_of(const Line& line, double x);
  double bound_at(size_t axis, double* at, double key) const;
  static size_t upper_anchor(const Line& line);  // two octaves inside, else the other end
  static size_t lower_anchor(const Line& line);

  const AtlasCells* cells_;
  /// Per axis: first_[axis][node] .. first_[axis][node + 1] are the indices of keys with a trusted cell under them, in
  /// present_[axis]; node = position over the axes before.
  std::array<std::vector<uint32_t>, kMaxAxes> first_, present_;
};

}  // namespace perfatlas
