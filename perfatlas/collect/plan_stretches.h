// SPDX-License-Identifier: Apache-2.0
// Plan indices in an order that mostly counts upwards, as the ends of its stretches: what is left of ten million cases
// is a few numbers while few are done.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace perfatlas {

class PlanStretches {
 public:
  /// Indices begin .. end-1. REQUIRES: begin < end.
  struct Stretch {
    uint32_t begin = 0, end = 0;
    bool operator==(const Stretch&) const = default;
  };

  PlanStretches() = default;
  explicit PlanStretches(const std::vector<uint32_t>& indices);

  void push_back(uint32_t index);
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const std::vector<Stretch>& stretches() const { return stretches_; }

  /// Calls visit(index) for every index in order.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (const Stretch& stretch : stretches_)
      for (uint32_t i = stretch.begin; i < stretch.end; ++i) visit(i);
  }

  bool operator==(const PlanStretches&) const = default;

 private:
  std::vector<Stretch> stretches_;
  size_t size_ = 0;
};

/// Goes through the indices one by one. Copies are independent.
class StretchCursor {
 public:
  StretchCursor() = default;
  /// At the first index.
  explicit StretchCursor(PlanStretches indices) : indices_(std::move(indices)), left_(indices_.size()) {}

  /// This index and all behind it.
  size_t left() const { return left_; }
  /// REQUIRES: left() > 0.
  uint32_t index() const { return indices_.stretches()[stretch_].begin + offset_; }
  /// REQUIRES: steps <= left().
  void advance(size_t steps = 1);

 private:
  PlanStretches indices_;
  size_t stretch_ = 0, left_ = 0;
  uint32_t offset_ = 0;  // in the stretch
};

}  // namespace perfatlas
