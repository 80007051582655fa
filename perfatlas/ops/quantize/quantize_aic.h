// SPDX-License-Identifier: Apache-2.0
// What fp8_static products save: the reduction that finds a scale, and the pass that applies it.
#pragma once

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

enum class QuantizePart { compute_scale, scale_matrix };

/// A part of quantising m x k activations to 8-bit floats. Speed of light: 2 m k (compute_scale) or 3 m k
/// (scale_matrix) bytes over the memory bandwidth. Measured: the question is moved into the range of the table;
/// compute_scale stays flat outside, scale_matrix keeps its efficiency. Estimated: scale_matrix by utilisation,
/// compute_scale by the efficiency of the nearest point, of which a latency of 0 stays 0.
class QuantizeCost {
 public:
  QuantizeCost(QuantizePart part, const Binding& binding);
  ~QuantizeCost();
  Price price(int64_t m, int64_t k) const;
  std::string explain() const;

 private:
  struct Table;
  Price silicon(int64_t m, int64_t k) const;
  Price empirical(int64_t m, int64_t k) const;
  double sol_ms(int64_t m, int64_t k) const;

  QuantizePart part_;
  Mode mode_;
  double bytes_per_second_;
  const Table* table_ = nullptr;  // of a mode that looks at measurements
};

}  // namespace perfatlas::aic
