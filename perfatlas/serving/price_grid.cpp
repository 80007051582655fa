// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/serving/price_grid.h"

#include <algorithm>
#include <utility>

#include "perfatlas/base/error.h"

namespace perfatlas {

PriceAxis::PriceAxis(std::vector<double> values) : values_(std::move(values)) {
  PERFATLAS_ASSERT(!values_.empty());
  for (size_t i = 0; i + 1 < values_.size(); ++i) {
    PERFATLAS_ASSERT(values_[i] < values_[i + 1]);
    inverse_gap_.push_back(1 / (values_[i + 1] - values_[i]));
  }
}

PriceAxis::Position PriceAxis::position(double size) const {
  if (size <= values_.front() || values_.size() == 1) return {};
  const size_t inner = values_.size() - 2;  // a size beyond the last value uses the last cell
  const auto above = std::upper_bound(values_.begin() + 1, values_.begin() + std::ptrdiff_t(inner) + 1, size);
  const size_t cell = size_t(above - values_.begin()) - 1;
  return {cell, (size - values_[cell]) * inverse_gap_[cell]};
}

PriceCurve::PriceCurve(PriceAxis axis, std::vector<double> price_ms)
    : axis_(std::move(axis)), price_ms_(std::move(price_ms)) {
  PERFATLAS_ASSERT(price_ms_.size() == axis_.size());
}

double PriceCurve::at(double size) const {
  const PriceAxis::Position where = axis_.position(size);
  const double low = price_ms_[where.cell];
  return where.share == 0 ? low : low + where.share * (price_ms_[where.cell + 1] - low);
}

PriceSurface::PriceSurface(PriceAxis first, PriceAxis second, std::vector<double> price_ms)
    : first_(std::move(first)), second_(std::move(second)), price_ms_(std::move(price_ms)) {
  PERFATLAS_ASSERT(price_ms_.size() == first_.size() * second_.size());
}

double PriceSurface::along_second(size_t row, PriceAxis::Position where) const {
  const double* price = price_ms_.data() + row * second_.size() + where.cell;
  return where.share == 0 ? price[0] : price[0] + where.share * (price[1] - price[0]);
}

double PriceSurface::at(double first, double second) const {
  const PriceAxis::Position row = first_.position(first);
  const PriceAxis::Position column = second_.position(second);
  const double low = along_second(row.cell, column);
  return row.share == 0 ? low : low + row.share * (along_second(row.cell + 1, column) - low);
}

}  // namespace perfatlas
