// SPDX-License-Identifier: Apache-2.0
// The keys of one axis of a box of cells, and where a position lies among them.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace perfatlas {

/// How an axis was left: between two keys, above the last, below the first.
enum class AxisStep : uint8_t { inside, above, below };

/// The two keys that answer for a position.
struct AxisPlace {
  uint32_t a = 0, b = 0;  // indices; equal: an exact hit, or the only key
  bool exact = false;
  AxisStep step = AxisStep::inside;
};

/// Anchor indices on a line: the largest key of at most a quarter of the last (else the first), and the smallest of at
/// least four times the first (else the last).
uint32_t upper_anchor_of(std::span<const double> keys);
uint32_t lower_anchor_of(std::span<const double> keys);

/// Immutable once made.
class AtlasAxis {
 public:
  /// REQUIRES: ascending, distinct, finite, not negative; at least one.
  explicit AtlasAxis(std::vector<double> keys);

  std::span<const double> keys() const { return {keys_.data(), keys_.size() - 1}; }
  uint32_t upper_anchor() const { return upper_anchor_; }
  uint32_t lower_anchor() const { return lower_anchor_; }

  /// Inside: the keys on both sides. Beyond: the outermost key and the anchor. REQUIRES: x is a number.
  AxisPlace place_of(double x) const {
    if (x < keys_[0]) return {0, lower_anchor_, false, AxisStep::below};
    const uint32_t i = last_at_most(x);
    if (keys_[i] == x) return {i, i, true, AxisStep::inside};
    if (i == last_) return {i, upper_anchor_, false, AxisStep::above};
    return {i, i + 1, false, AxisStep::inside};
  }

 private:
  /// The last key <= x, from a table over the leading bits of x: keys are roughly geometric, so that few share a cell
  /// of it. REQUIRES: x >= the first key.
  uint32_t last_at_most(double x) const {
    const int64_t bucket = (std::bit_cast<int64_t>(x) >> shift_) - first_bucket_;
    const int64_t last = int64_t(start_.size()) - 1;
    uint32_t i = start_[size_t(bucket < 0 ? 0 : bucket > last ? last : bucket)];
    for (uint32_t steps = steps_; steps > 0; --steps) i += keys_[i + 1] <= x ? 1 : 0;  // ends at the NaN
    return i;
  }
  bool make_table(int mantissa_bits);

  std::vector<double> keys_;  // a NaN behind the last
  std::vector<uint32_t>
      start_;  // by leading bits: the last key below all positions that begin with them, or the first
  int64_t first_bucket_ = 0;
  int shift_ = 0;
  uint32_t steps_ = 0;  // most keys in one bucket
  uint32_t last_ = 0, upper_anchor_ = 0, lower_anchor_ = 0;
};

/// Slices of one table mostly have the same keys: each list is kept once, so that it stays in the processor's caches.
/// Safe for many threads at once.
class AxisPool {
 public:
  std::shared_ptr<const AtlasAxis> axis_of(const std::vector<double>& keys);

 private:
  std::mutex mutex_;
  std::map<std::vector<double>, std::shared_ptr<const AtlasAxis>> axes_;
};

}  // namespace perfatlas
