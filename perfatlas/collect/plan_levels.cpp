// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/plan_levels.h"

#include <algorithm>
#include <bit>
#include <map>
#include <unordered_map>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

constexpr uint8_t kCorner = 0, kOctave = 1, kRest = 2;

/// The distinct values of one coordinate, in ascending order once ranked.
class Coordinate {
 public:
  void see(int64_t value) {
    if (value == last_ && !ranks_.empty()) return;
    last_ = value;
    ranks_.try_emplace(value, 0);
  }
  void rank() {
    for (const auto& [value, rank] : ranks_) values_.push_back(value);
    std::sort(values_.begin(), values_.end());
    for (uint32_t i = 0; i < values_.size(); ++i) ranks_[values_[i]] = i;
    last_rank_ = ranks_[last_];
  }
  /// REQUIRES (from here on): rank() was called.
  uint32_t rank_of(int64_t value) {
    if (value != last_) {
      last_ = value;
      last_rank_ = ranks_.at(value);
    }
    return last_rank_;
  }
  int64_t value(uint64_t rank) const { return values_[rank]; }
  int bits() const { return std::bit_width(values_.size() - 1); }

 private:
  std::unordered_map<int64_t, uint32_t> ranks_;
  std::vector<int64_t> values_;
  int64_t last_ = 0;
  uint32_t last_rank_ = 0;
};

/// Numbers table slices in order of appearance. Neighbours in a grid mostly share theirs.
class SliceNumbers {
 public:
  explicit SliceNumbers(const OpType& op) : op_(op) {
    for (size_t f = 0; f < op.fields.size(); ++f)
      if (std::none_of(op.axes.begin(), op.axes.end(), [&](const AxisType& axis) { return axis.field == f; }))
        key_fields_.push_back(f);
  }
  int64_t number_of(const FieldValues& values) {
    const bool same = !numbers_.empty() && std::all_of(key_fields_.begin(), key_fields_.end(),
                                                       [&](size_t f) { return values[f] == last_[f]; });
    if (!same) {
      last_ = values;
      last_number_ = numbers_.try_emplace(op_.slice_of(values), int64_t(numbers_.size())).first->second;
    }
    return last_number_;
  }

 private:
  const OpType& op_;
  std::vector<size_t> key_fields_;  // all but plain axes
  std::map<SliceKey, int64_t> numbers_;
  FieldValues last_{};
  int64_t last_number_ = 0;
};

/// A case's place as one number: slice, then the axes from the outermost one, then the case's number, each in as many
/// bits as it needs. Sorted, they are the cases in nested order.
struct Layout {
  std::vector<Coordinate> coordinates;  // slice, axes
  std::vector<int> shifts;              // of each
  int bits = 0;

  void arrange(uint32_t cases) {
    bits = std::bit_width(cases);
    shifts.resize(coordinates.size());
    for (size_t c = coordinates.size(); c-- > 0;) {
      coordinates[c].rank();
      shifts[c] = bits;
      bits += coordinates[c].bits();
    }
  }
};

__extension__ using Wide = unsigned __int128;

/// The levels of cases in nested order: along an axis, the first and the last value there is for the outer ones are
/// corners, the first of an octave stands for it.
template <class Key>
void walk(const OpType& op, const Layout& layout, const std::vector<Key>& sorted, uint8_t* levels) {
  const size_t first_axis = op.layout.resolver == Resolver::sites ? size_t(op.layout.site_axes) : 0;
  const Key index_mask = (Key(1) << layout.shifts.back()) - 1;
  std::fill(levels, levels + sorted.size(), kCorner);
  for (size_t axis = first_axis; axis < op.axes.size(); ++axis) {
    const Coordinate& coordinate = layout.coordinates[axis + 1];
    const int shift = layout.shifts[axis + 1], outer = shift + coordinate.bits();
    const Key mask = (Key(1) << coordinate.bits()) - 1;
    const auto rank_at = [&](size_t i) { return uint64_t((sorted[i] >> shift) & mask); };
    const auto octave_of = [&](uint64_t rank) {
      const int64_t value = coordinate.value(rank);
      return value < 1 ? 0 : int(std::bit_width(uint64_t(value)));
    };
    for (size_t begin = 0, end = 0; begin < sorted.size(); begin = end) {
      while (end < sorted.size() && sorted[end] >> outer == sorted[begin] >> outer) ++end;
      const uint64_t first = rank_at(begin), last = rank_at(end - 1);
      uint64_t octave_first = first;
      for (size_t i = begin; i < end; ++i) {
        const uint64_t rank = rank_at(i);
        if (rank != octave_first && octave_of(rank) != octave_of(octave_first)) octave_first = rank;
        const uint8_t level = rank == first || rank == last ? kCorner
                              : rank == octave_first        ? kOctave
                                                            : kRest;
        uint8_t& own = levels[size_t(sorted[i] & index_mask)];
        own = std::max(own, level);
      }
    }
  }
}

template <class Key>
void assign(const CaseStore& store, const CaseStore::OpCases& own, Layout& layout, uint8_t* levels) {
  SliceNumbers slices(*own.op);
  std::vector<Key> keys;
  keys.reserve(own.count);
  for (uint32_t i = 0; i < own.count; ++i) {
    const FieldValues values = store.at(own.first + i).values;
    Key key = Key(layout.coordinates[0].rank_of(slices.number_of(values))) << layout.shifts[0];
    for (size_t a = 0; a < own.op->axes.size(); ++a)
      key |= Key(layout.coordinates[a + 1].rank_of(own.op->axes[a].get(values))) << layout.shifts[a + 1];
    keys.push_back(key | i);
  }
  std::sort(keys.begin(), keys.end());
  walk(*own.op, layout, keys, levels);
}

}  // namespace

void assign_levels(const CaseStore& store, const CaseStore::OpCases& own, std::vector<uint8_t>& levels) {
  if (own.count == 0) return;
  SliceNumbers slices(*own.op);
  Layout layout;
  layout.coordinates.resize(own.op->axes.size() + 1);
  for (uint32_t i = 0; i < own.count; ++i) {
    const FieldValues values = store.at(own.first + i).values;
    layout.coordinates[0].see(slices.number_of(values));
    for (size_t a = 0; a < own.op->axes.size(); ++a)
      layout.coordinates[a + 1].see(own.op->axes[a].get(values));
  }
  layout.arrange(own.count);
  uint8_t* const first = levels.data() + own.first;
  if (layout.bits < 64) return assign<uint64_t>(store, own, layout, first);
  PERFATLAS_ASSERT(layout.bits < 128);
  assign<Wide>(store, own, layout, first);
}

}  // namespace perfatlas
