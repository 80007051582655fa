// SPDX-License-Identifier: Apache-2.0
// Step prices on a grid of sizes.
#pragma once

#include <cstddef>
#include <vector>

namespace perfatlas {

/// Grid values of one size, ascending.
class PriceAxis {
 public:
  /// Where a size lies: on the straight line through values `cell` and `cell + 1`, at `share` of the way.
  struct Position {
    size_t cell = 0;
    double share = 0;
  };

  /// REQUIRES: not empty, strictly ascending.
  explicit PriceAxis(std::vector<double> values);

  /// Clamped below the first value, extrapolated above the last one.
  Position position(double size) const;
  const std::vector<double>& values() const { return values_; }
  size_t size() const { return values_.size(); }
  bool operator==(const PriceAxis& other) const { return values_ == other.values_; }

 private:
  std::vector<double> values_;
  std::vector<double> inverse_gap_;  // 1 / (values[i + 1] - values[i])
};

/// Milliseconds over one size; linear between grid values.
class PriceCurve {
 public:
  /// REQUIRES: as many prices as axis values.
  PriceCurve(PriceAxis axis, std::vector<double> price_ms);

  double at(double size) const;
  const PriceAxis& axis() const { return axis_; }
  const std::vector<double>& price_ms() const { return price_ms_; }
  bool operator==(const PriceCurve&) const = default;

 private:
  PriceAxis axis_;
  std::vector<double> price_ms_;
};

/// Milliseconds over two sizes; linear in each between grid values. Prices in row-major order, `first` outermost.
class PriceSurface {
 public:
  /// REQUIRES: first.size() * second.size() prices.
  PriceSurface(PriceAxis first, PriceAxis second, std::vector<double> price_ms);

  double at(double first, double second) const;
  const PriceAxis& first() const { return first_; }
  const PriceAxis& second() const { return second_; }
  const std::vector<double>& price_ms() const { return price_ms_; }
  bool operator==(const PriceSurface&) const = default;

 private:
  double along_second(size_t row, PriceAxis::Position where) const;

  PriceAxis first_, second_;
  std::vector<double> price_ms_;
};

}  // namespace perfatlas
