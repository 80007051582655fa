// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <span>

#include "perfatlas/base/error.h"
#include "perfatlas/interp/atlas_fill_impl.h"

namespace perfatlas {

/// The keys under one node, and the node's position.
struct AtlasFill::Line {
  std::span<const uint32_t> present;  // never empty
  std::span<const double> keys;
  size_t node;

  double key(size_t i) const { return keys[present[i]]; }
  size_t child(size_t i) const { return node * keys.size() + present[i]; }
};

/// The positions on a line that answer for a place on it.
struct AtlasFill::Arms {
  size_t a = 0, b = 0;  // equal: an exact hit, or the only key
  bool exact = false;
  AxisStep step = AxisStep::inside;
};

AtlasFill::AtlasFill(const AtlasCells& cells) : cells_(&cells) {
  std::vector<uint8_t> below(cells.size());
  for (size_t cell = 0; cell < cells.size(); ++cell) below[cell] = cells.cell[cell].trusted();
  for (size_t d = cells.law.axes; d-- > 0;) {
    const size_t keys = cells.keys(d).size(), nodes = below.size() / keys;
    std::vector<uint8_t> here(nodes);
    first_[d].assign(1, 0);
    for (size_t node = 0; node < nodes; ++node) {
      for (uint32_t i = 0; i < keys; ++i)
        if (below[node * keys + i]) present_[d].push_back(i);
      first_[d].push_back(uint32_t(present_[d].size()));
      here[node] = first_[d][node + 1] > first_[d][node];
    }
    below = std::move(here);
  }
  PERFATLAS_ASSERT(below.size() == 1 && below[0]);
}

AtlasFill::Value AtlasFill::at(size_t cell) const {
  std::array<double, kMaxAxes> at = cells_->position(cell);
  return resolve(0, 0, at.data());
}

AtlasFill::Value AtlasFill::resolve(size_t axis, size_t node, double* at) const {
  if (axis == cells_->law.axes) {
    const AtlasCell& cell = cells_->cell[node];
    return {cell.latency_ms, double(cell.power_w), false, {}};
  }
  return combine(axis, line_of(axis, node), at);
}

AtlasFill::Line AtlasFill::line_of(size_t axis, size_t node) const {
  const auto first = present_[axis].begin();
  return {{first + first_[axis][node], first + first_[axis][node + 1]}, cells_->keys(axis), node};
}

AtlasFill::Arms AtlasFill::arms_of(const Line& line, double x) {
  const size_t count = line.present.size();
  size_t upper = 0;  // first key above x
  while (upper < count && line.key(upper) <= x) ++upper;
  if (upper > 0 && line.key(upper - 1) == x) return {upper - 1, upper - 1, true, AxisStep::inside};
  if (upper == 0) return {0, lower_anchor(line), false, AxisStep::below};
  if (upper == count) return {count - 1, upper_anchor(line), false, AxisStep::above};
  return {upper - 1, upper, false, AxisStep::inside};
}

void AtlasFill::add_support(size_t cell, double share, std::map<size_t, double>& shares) const {
  std::array<double, kMaxAxes> at = cells_->position(cell);
  add_support(0, 0, at.data(), share, shares);
}

void AtlasFill::add_support(size_t axis, size_t node, double* at, double share,
                            std::map<size_t, double>& shares) const {
  if (axis == cells_->law.axes) {
    shares[node] += share;
    return;
  }
  const Line line = line_of(axis, node);
  const double x = at[axis];
  const Arms arms = arms_of(line, x);
  const auto descend = [&](size_t i, double part) {
    at[axis] = line.key(i);
    add_support(axis + 1, line.child(i), at, part, shares);
    at[axis] = x;
  };
  if (arms.exact || arms.step != AxisStep::inside) return descend(arms.a, share);
  const double second = share_between(cells_->law, cells_->sol, axis, at, line.key(arms.a), line.key(arms.b));
  descend(arms.a, share * (1 - second));
  descend(arms.b, share * second);
}

size_t AtlasFill::upper_anchor(const Line& line) {
  size_t i = line.present.size() - 1;
  const double limit = line.key(i) / 4;
  while (i > 0 && line.key(i) > limit) --i;
  return i;
}

size_t AtlasFill::lower_anchor(const Line& line) {
  size_t i = 0;
  while (i + 1 < line.present.size() && line.key(i) < 4 * line.key(0)) ++i;
  return i;
}

double AtlasFill::bound_at(size_t axis, double* at, double key) const {
  if (!cells_->sol) return 0;
  const double kept = at[axis];
  at[axis] = key;
  const double bound = cells_->sol(at).bound_ms();
  at[axis] = kept;
  return bound;
}

AtlasFill::Value AtlasFill::combine(size_t axis, const Line& line, double* at) const {
  const double x = at[axis];
  const auto child = [&](size_t i) {
    at[axis] = line.key(i);
    const Value value = resolve(axis + 1, line.child(i), at);
    at[axis] = x;
    return value;
  };
  const Arms arms = arms_of(line, x);
  const Value a = child(arms.a);
  if (arms.exact) return a;
  const Value b = arms.b == arms.a ? a : child(arms.b);
  const double key_a = line.key(arms.a), key_b = line.key(arms.b);
  if (arms.step != AxisStep::inside) {
    const double latency =
        latency_beyond(cells_->law, cells_->sol, axis, at, {key_a, a.latency_ms}, {key_b, b.latency_ms});
    const size_t bin = octave_bin(std::abs(std::log2(x / key_a)));
    return {latency, a.power_w, true, {uint8_t(axis), arms.step, uint8_t(bin)}};
  }
  const double share = share_between(cells_->law, cells_->sol, axis, at, key_a, key_b);
  const size_t bin =
      spread_bin(spread_of(a.latency_ms, b.latency_ms, bound_at(axis, at, key_a), bound_at(axis, at, key_b)));
  return {a.latency_ms + (b.latency_ms - a.latency_ms) * share,
          a.power_w + (b.power_w - a.power_w) * share,
          a.beyond || b.beyond,
          {uint8_t(axis), AxisStep::inside, uint8_t(bin)}};
}

}  // namespace perfatlas
