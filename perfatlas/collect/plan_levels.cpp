// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/plan_levels.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "perfatlas/base/hash.h"

namespace perfatlas {
namespace {

enum : uint8_t { kCorner = 0, kOctave = 1, kRest = 2 };

/// Where each case lies: its table slice and its coordinates, outermost axis first.
struct Positions {
  size_t axes = 0;
  std::vector<uint64_t> slice;
  std::vector<int64_t> coordinates;  // axes per case

  int64_t at(size_t i, size_t axis) const { return coordinates[i * axes + axis]; }
  bool same_prefix(size_t a, size_t b, size_t depth) const {
    if (slice[a] != slice[b]) return false;
    for (size_t axis = 0; axis < depth; ++axis)
      if (at(a, axis) != at(b, axis)) return false;
    return true;
  }
};

Positions positions_of(const CaseStore& store, const std::vector<uint32_t>& cases) {
  Positions p;
  const OpType& op = *store.at(cases.front()).op;
  p.axes = op.axes.size();
  p.slice.reserve(cases.size());
  p.coordinates.reserve(cases.size() * p.axes);
  for (const uint32_t index : cases) {
    const FieldValues values = store.at(index).values;
    const SliceKey key = op.slice_of(values);
    p.slice.push_back(hash64({reinterpret_cast<const char*>(key.data()), key.size() * sizeof key[0]}));
    for (const AxisType& axis : op.axes) p.coordinates.push_back(axis.get(values));
  }
  return p;
}

std::vector<uint32_t> nested_order(const Positions& p) {
  std::vector<uint32_t> order(p.slice.size());
  std::iota(order.begin(), order.end(), uint32_t{0});
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    if (p.slice[a] != p.slice[b]) return p.slice[a] < p.slice[b];
    for (size_t axis = 0; axis < p.axes; ++axis)
      if (p.at(a, axis) != p.at(b, axis)) return p.at(a, axis) < p.at(b, axis);
    return a < b;
  });
  return order;
}

int octave_of(int64_t value) { return value < 1 ? 0 : int(std::bit_width(uint64_t(value))); }

}  // namespace

void assign_levels(const CaseStore& store, const std::vector<uint32_t>& cases, std::vector<uint8_t>& levels) {
  if (cases.empty()) return;
  const Positions p = positions_of(store, cases);
  const std::vector<uint32_t> order = nested_order(p);
  const TableLayout& layout = store.at(cases.front()).op->layout;
  const size_t first_axis = layout.resolver == Resolver::sites ? size_t(layout.site_axes) : 0;
  for (const uint32_t index : cases) levels[index] = kCorner;
  for (size_t axis = first_axis; axis < p.axes; ++axis)
    for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
      while (end < order.size() && p.same_prefix(order[begin], order[end], axis)) ++end;
      const int64_t first = p.at(order[begin], axis), last = p.at(order[end - 1], axis);
      int64_t octave_first = first;  // the smallest value there is in the current octave
      for (size_t i = begin; i < end; ++i) {
        const int64_t value = p.at(order[i], axis);
        if (octave_of(value) != octave_of(octave_first)) octave_first = value;
        const uint8_t level = value == first || value == last ? kCorner
                              : value == octave_first         ? kOctave
                                                              : kRest;
        uint8_t& own = levels[cases[order[i]]];
        own = std::max(own, level);
      }
    }
}

}  // namespace perfatlas
