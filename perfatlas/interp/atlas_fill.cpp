// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "perfatlas/base/error.h"
#include "perfatlas/interp/atlas_fill_impl.h"

namespace perfatlas {

/// The keys under one node, and the node's position.
struct AtlasFill::Line {
  std::span<const uint32_t> present;  // never empty
  const std::vector<double>* keys;
  size_t node;

  double key(size_t i) const { return (*keys)[present[i]]; }
};

AtlasFill::AtlasFill(const AtlasCells& cells) : cells_(&cells) {
  std::vector<uint8_t> below(cells.size());
  for (size_t cell = 0; cell < cells.size(); ++cell) below[cell] = cells.trusted(cell);
  for (size_t d = cells.law.axes; d-- > 0;) {
    const size_t keys = cells.keys[d].size(), nodes = below.size() / keys;
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
  std::array<double, kMaxAxes> at{};
  for (size_t d = 0; d < cells_->law.axes; ++d)
    at[d] = cells_->keys[d][cell / cells_->stride[d] % cells_->keys[d].size()];
  return resolve(0, 0, at.data());
}

AtlasFill::Value AtlasFill::resolve(size_t axis, size_t node, double* at) const {
  if (axis == cells_->law.axes) {
    const double power =
        cells_->power_w.empty() ? std::numeric_limits<double>::quiet_NaN() : double(cells_->power_w[node]);
    return {cells_->latency_ms[node], power, false, {}};
  }
  const auto first = present_[axis].begin();
  const Line line{{first + first_[axis][node], first + first_[axis][node + 1]}, &cells_->keys[axis], node};
  return combine(axis, line, at);
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
  const size_t count = line.present.size();
  const auto child = [&](size_t i) {
    at[axis] = line.key(i);
    const Value value = resolve(axis + 1, line.node * line.keys->size() + line.present[i], at);
    at[axis] = x;
    return value;
  };
  size_t upper = 0;  // first key above x
  while (upper < count && line.key(upper) <= x) ++upper;
  if (upper > 0 && line.key(upper - 1) == x) return child(upper - 1);
  if (upper > 0 && upper < count) {
    const Value a = child(upper - 1), b = child(upper);
    const double share =
        share_between(cells_->law, cells_->sol, axis, at, line.key(upper - 1), line.key(upper));
    const size_t bin =
        spread_bin(spread_of(a.latency_ms, b.latency_ms, bound_at(axis, at, line.key(upper - 1)),
                             bound_at(axis, at, line.key(upper))));
    return {a.latency_ms + (b.latency_ms - a.latency_ms) * share,
            a.power_w + (b.power_w - a.power_w) * share,
            a.beyond || b.beyond,
            {uint8_t(axis), AxisStep::inside, uint8_t(bin)}};
  }
  const bool above = upper > 0;
  const size_t end = above ? count - 1 : 0, anchor = above ? upper_anchor(line) : lower_anchor(line);
  const Value a = child(end), b = anchor == end ? a : child(anchor);
  const double latency = latency_beyond(cells_->law, cells_->sol, axis, at, {line.key(end), a.latency_ms},
                                        {line.key(anchor), b.latency_ms});
  const size_t bin = octave_bin(std::abs(std::log2(x / line.key(end))));
  return {latency, a.power_w, true, {uint8_t(axis), above ? AxisStep::above : AxisStep::below, uint8_t(bin)}};
}

}  // namespace perfatlas
