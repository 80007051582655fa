// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/atlas_slice.h"

#include <algorithm>
#include <map>
#include <optional>

#include "perfatlas/interp/atlas_fill_impl.h"

namespace perfatlas {

AtlasSlice::AtlasSlice(const AtlasLaw& law, std::span<const MeasuredPoint> points, SolLaw sol,
                       CellOptions options)
    : cells_(make_cells(law, points, std::move(sol), options)) {
  if (law.log_curve) curve_ = curve_through(cells_, false);
  hot_ = {.cells = cells_.cell.data(),
          .axes = uint8_t(law.axes),
          .straight = cells_.straight,
          .has_law = bool(cells_.sol),
          .has_power = cells_.has_power,
          .has_curve = !curve_.empty()};
  for (size_t d = 0; d < law.axes; ++d) {
    hot_.axis[d] = cells_.axis[d].get();
    hot_.stride[d] = uint32_t(cells_.stride[d]);
    if (hot_.has_law && law.axis[d].inside == AxisCoordinate::work) hot_.inside_in_work |= uint8_t(1u << d);
  }
}

std::vector<Support> AtlasSlice::support(const double* at) const {
  std::vector<std::pair<size_t, double>> corners{{0, 1.0}};
  std::array<double, kMaxAxes> where{};
  std::copy_n(at, cells_.law.axes, where.begin());
  for (size_t d = 0; d < cells_.law.axes; ++d) {
    const AxisPlace place = cells_.axis[d]->place_of(at[d]);
    const size_t a = place.a * cells_.stride[d], b = place.b * cells_.stride[d];
    double share = 0;
    if (!place.exact && place.step == AxisStep::inside)
      share = share_between(cells_.law, cells_.sol, d, where.data(), cells_.keys(d)[place.a],
                            cells_.keys(d)[place.b]);
    std::vector<std::pair<size_t, double>> next;
    for (const auto& [base, weight] : corners) {
      next.emplace_back(base + a, weight * (1 - share));
      if (place.a != place.b) next.emplace_back(base + b, weight * share);
    }
    corners = std::move(next);
  }
  std::map<size_t, double> shares;  // by cell
  std::optional<AtlasFill> fill;
  for (const auto& [number, share] : corners) {
    const CellState state = cells_.cell[number].state;
    if (state == CellState::measured || (state == CellState::doubtful && corners.size() == 1)) {
      shares[number] += share;
      continue;
    }
    if (share == 0) continue;
    if (!fill) fill.emplace(cells_);
    fill->add_support(number, share, shares);
  }
  std::vector<Support> supports;
  for (const auto& [number, share] : shares) supports.push_back({cells_.point[number], share});
  std::stable_sort(supports.begin(), supports.end(),
                   [](const Support& x, const Support& y) { return x.weight > y.weight; });
  return supports;
}

}  // namespace perfatlas
