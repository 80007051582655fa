// SPDX-License-Identifier: Apache-2.0
// The expert table by shape, and the speed of light of experts.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/pricer.h"
#include "perfatlas/aic/surface.h"
#include "perfatlas/aic/table_fields.h"

namespace perfatlas::aic {

/// Experts of one rank. `slots`: experts with their copies.
struct MoeShape {
  int64_t topk = 0, experts = 0, hidden = 0, inter = 0, tp = 1, ep = 1;
  bool operator==(const MoeShape&) const = default;
};

/// With T = tokens * topk and g matrices per expert (3 gated, 2 not), all divisions rounding down: T h i g 2 / ep / tp
/// operations; bytes: inputs, intermediates and the weights of the experts that can have a token.
struct MoeSol {
  double flops = 1, bytes = 2, bandwidth = 1;
  int64_t matrices = 3;
  SolParts parts(const MoeShape& shape, int64_t tokens) const;
};

/// REQUIRES: the system has the mode's peak.
MoeSol moe_sol(const AicSystem& system, QuantMode quant, bool gated);

/// The share of the speed of light that expert kernels of a mode usually reach: only ratios count.
double usual_moe_efficiency(QuantMode quant);

/// Curves over tokens.
class MoeTable {
 public:
  /// `low_latency`: the rows of the kernel for small steps, else all others.
  MoeTable(const Database& database, SharedLayer shared, bool low_latency);

  /// `distribution`, or "uniform" where the mode has no rows of it.
  std::string known_distribution(QuantMode quant, const std::string& distribution) const;
  /// Null when the shape was not measured.
  std::shared_ptr<const Surface> find(QuantMode quant, const std::string& distribution, const MoeShape& shape,
                                      const MoeSol& sol) const;
  /// Shapes of a mode and distribution that were measured with the tp and ep of `shape`.
  std::vector<MoeShape> like(QuantMode quant, const std::string& distribution, const MoeShape& shape) const;
  /// Modes with rows, in order of first appearance.
  const std::vector<QuantMode>& modes() const { return modes_; }
  std::string why_missing(QuantMode quant, const std::string& distribution, const MoeShape& shape) const;

 private:
  TableKey key_of(QuantMode quant, const std::string& distribution, const MoeShape& shape) const;

  std::shared_ptr<const TableRows> rows_;
  TableFields fields_;
  TableIndex index_;
  std::vector<QuantMode> modes_;
  /// By table key, matrices and the mode whose speed of light goes with the rows.
  Memo<TableKey, Surface, TableKeyHash> surfaces_;
};

}  // namespace perfatlas::aic
