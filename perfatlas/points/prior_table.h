// SPDX-License-Identifier: Apache-2.0
// The table of another machine, or of an older library version, as the mean that new measurements correct.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "perfatlas/interp/kriged_family.h"
#include "perfatlas/points/predictor.h"
#include "perfatlas/points/prior_choice.h"

namespace perfatlas {

/// The old rows of one op. Rows that contradict their neighbours are replaced by what these say: else they would become
/// predictions.
class PriorTable {
 public:
  /// REQUIRES: at least one point; op and the context's system outlive this.
  PriorTable(const OpType& op, std::span<const SlicePoint> old_points, SolContext old_context);

  /// The old latency of a case, measured or kriged; nothing when its family has no old rows.
  std::optional<double> old_ms(const FieldValues& values) const;
  double old_sol_ms(const FieldValues& values) const { return sol_ms(*op_, values, context_); }
  /// First percentile of the old latencies: the launch floor.
  double floor_ms() const { return floor_ms_; }

 private:
  struct Family {
    std::unique_ptr<const KrigedFamily> field;
    std::map<FieldValues, double> measured_ms;
  };
  const OpType* op_;
  SolContext context_;
  SizeSpace space_;
  double floor_ms_ = 0;
  std::map<SliceKey, Family> families_;
};

/// By op id.
using PriorTables = std::map<std::string, std::shared_ptr<const PriorTable>, std::less<>>;

/// Predicts with the best of no prior, the prior as it is and the prior scaled by the speeds of light: whichever leaves
/// the smallest score (KrigedFamily::score) now. Ops without a prior are predicted without.
PredictorMaker make_prior_predictor_maker(PriorTables priors);

/// What a new version or machine changed in one family, by the points measured on it.
struct PriorChange {
  std::string family;
  size_t points = 0;           // that the prior knows
  double unchanged_share = 0;  // within 5 % of the old latency
  double median_ratio = 0;     // new / old
  double rest_p90 = 0;         // of |new / (old * median_ratio) - 1|: what a constant factor does not explain
};

/// One entry per family with points that the prior knows, in order of name.
std::vector<PriorChange> changes_since(const OpType& op, const PriorTable& prior,
                                       std::span<const SlicePoint> measured);

}  // namespace perfatlas
