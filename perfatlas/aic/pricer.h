// SPDX-License-Identifier: Apache-2.0
// What a bound op is inside: the look-ups of one op in one mode, done once.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "perfatlas/aic/ground.h"
#include "perfatlas/aic/op_moe.h"
#include "perfatlas/aic/phase_point.h"
#include "perfatlas/aic/price.h"

namespace perfatlas::aic {

/// Immutable once made; may be asked from many threads at once. Without scale_factor.
class Pricer {
 public:
  virtual ~Pricer() = default;
  virtual Price price(const PhasePoint& at) const = 0;
  /// Why there is no price at this point, in one line; empty when there is one or nothing is known of it.
  virtual std::string explain(const PhasePoint& at) const = 0;
  /// The rows behind the price at a point. Nothing for estimates, formulas and failures.
  virtual Ground ground(const PhasePoint&) const { return {}; }
  virtual std::optional<MoeCommFallback> comm_fallback() const { return std::nullopt; }
};

/// The least time an op could take: arithmetic and traffic overlap perfectly.
struct SolParts {
  double math_ms = 0;
  double memory_ms = 0;
  double ms() const { return std::max(math_ms, memory_ms); }
};

/// An op with a table, an estimate that borrows efficiency, and a speed of light.
class TablePricer : public Pricer {
 public:
  explicit TablePricer(Mode mode) : mode_(mode) {}

  /// silicon, empirical or speed_of_light as the mode says; hybrid: the estimate where silicon lacks data.
  Price price(const PhasePoint& at) const final;
  /// That of silicon, where silicon answered.
  Ground ground(const PhasePoint& at) const final;

 protected:
  virtual Price silicon(const PhasePoint& at) const = 0;
  /// REQUIRES: silicon(at) is an answer.
  virtual Ground silicon_ground(const PhasePoint& at) const = 0;
  virtual Price empirical(const PhasePoint& at) const = 0;
  virtual SolParts speed_of_light(const PhasePoint& at) const = 0;
  /// The answer in Mode::sol and sol_full.
  virtual Price sol_price(const PhasePoint& at) const;

  Mode mode() const { return mode_; }

 private:
  Mode mode_;
};

/// Every point fails alike.
class FailedPricer final : public Pricer {
 public:
  FailedPricer(Failure failure, std::string why) : failure_(failure), why_(std::move(why)) {}
  Price price(const PhasePoint&) const override { return Price::failed(failure_); }
  std::string explain(const PhasePoint&) const override { return why_; }

 private:
  Failure failure_;
  std::string why_;
};

inline Price sol_price_of(const SolParts& sol) {
  return {.latency_ms = sol.ms(), .source = Source::sol, .math_ms = sol.math_ms, .memory_ms = sol.memory_ms};
}

/// Speed of light over utilisation.
inline Price empirical_price(double sol_ms, double utilisation, Provenance provenance) {
  return {.latency_ms = sol_ms / utilisation, .source = Source::empirical, .provenance = provenance};
}

/// Data is missing, so that Mode::hybrid estimates.
inline bool lacks_data(Failure failure) {
  return failure == Failure::perf_data_not_available || failure == Failure::interpolation_data_not_available;
}

}  // namespace perfatlas::aic
