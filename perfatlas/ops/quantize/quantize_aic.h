// SPDX-License-Identifier: Apache-2.0
// What fp8_static products save: the reduction that finds a scale, and the pass that applies it.
#pragma once

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_memory.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

/// A pass of quantising m x k activations to 8-bit floats. Speed of light: 2 m k (find_scale) or 3 m k
/// (apply_scale) bytes over the memory bandwidth. Measured: the question is moved into the range of the table;
/// find_scale stays flat outside, apply_scale keeps its efficiency. Estimated: apply_scale by utilisation,
/// find_scale by the efficiency of the nearest point, of which a latency of 0 stays 0.
class QuantizeCost {
 public:
  QuantizeCost(Quantize::Pass pass, const Binding& binding);
  ~QuantizeCost();
  Price price(int64_t m, int64_t k) const;
  std::string explain() const;
  /// The rows behind a measured price.
  Ground ground(int64_t m, int64_t k) const;

 private:
  struct Table;
  Price silicon(int64_t m, int64_t k) const;
  Price empirical(int64_t m, int64_t k) const;
  double sol_ms(int64_t m, int64_t k) const;

  Quantize::Pass pass_;
  Mode mode_;
  double bytes_per_second_;
  const Table* table_ = nullptr;  // of a mode that looks at measurements
};

/// QuantizeCost of as many rows as there are tokens.
std::unique_ptr<const Pricer> bind(const Quantize& op, const Binding& binding);

}  // namespace perfatlas::aic
