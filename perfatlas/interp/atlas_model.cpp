// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/atlas_model.h"

#include <algorithm>
#include <unordered_set>

namespace perfatlas {
namespace {

constexpr size_t kLeastScattered = 30;  // fewer points teach kriging nothing

std::vector<MeasuredPoint> distinct(std::span<const MeasuredPoint> points) {
  std::unordered_set<Coordinates, CoordinatesHash> seen(points.size());
  std::vector<MeasuredPoint> kept;
  for (const MeasuredPoint& point : points)
    if (seen.insert(point.at).second) kept.push_back(point);
  return kept;
}

}  // namespace

double fill_fraction(size_t axes, std::span<const MeasuredPoint> points) {
  std::array<std::vector<int64_t>, kMaxAxes> keys;
  std::array<size_t, kMaxAxes> stride{};
  size_t size = 1;
  for (size_t d = axes; d-- > 0;) {
    keys[d] = distinct_values(points, d);
    stride[d] = size;
    size *= std::max<size_t>(1, keys[d].size());
  }
  if (size > kMostCells) return 0;
  if (size == points.size()) return 1;
  std::vector<uint8_t> below(size);
  size_t measured = 0;
  for (const MeasuredPoint& point : points) {
    size_t cell = 0;
    for (size_t d = 0; d < axes; ++d)
      cell +=
          size_t(std::lower_bound(keys[d].begin(), keys[d].end(), point.at[d]) - keys[d].begin()) * stride[d];
    measured += below[cell] == 0;
    below[cell] = 1;
  }
  for (size_t d = 0; d < axes; ++d)
    for (size_t end = stride[d] * keys[d].size(), begin = 0; begin < size;
         begin = end, end += stride[d] * keys[d].size())
      for (size_t cell = end - stride[d]; cell-- > begin;) below[cell] |= below[cell + stride[d]];
  return double(measured) / double(std::count(below.begin(), below.end(), 1));
}

AtlasModel::AtlasModel(const AtlasLaw& law, std::span<const MeasuredPoint> points, SolLaw sol,
                       const KrigingTuning* tuning, AxisPool* axes) {
  const bool few = points.size() < kLeastScattered;
  if (few ? box_cells(law.axes, points) <= kMostCells : fill_fraction(law.axes, points) >= kDenseFill)
    grid_.emplace(law, points, std::move(sol), CellOptions{.axes = axes});
  else
    scattered_ = std::make_unique<const KrigingSlice>(law.axes, distinct(points), std::move(sol), tuning);
}

}  // namespace perfatlas
