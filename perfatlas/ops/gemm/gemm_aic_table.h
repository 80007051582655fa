// SPDX-License-Identifier: Apache-2.0
// The GEMM table by quantisation mode.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/pricer.h"
#include "perfatlas/aic/surface.h"
#include "perfatlas/aic/table_fields.h"
#include "perfatlas/interp/site_curve.h"

namespace perfatlas::aic {

/// Speed of light of a product in one mode.
struct GemmSol {
  double flops = 1, bytes = 1, bandwidth = 1;  // per second; per element; per second
  SolParts parts(int64_t m, int64_t n, int64_t k) const;
};

/// REQUIRES: the system has the mode's peak.
GemmSol gemm_sol(const AicSystem& system, QuantMode quant);

/// The share of the speed of light that kernels of a mode usually reach, by its bytes and arithmetic: ratios count.
double usual_gemm_efficiency(QuantMode quant);

class GemmTable {
 public:
  GemmTable(const Database& database, SharedLayer shared);

  struct Slice {
    std::unique_ptr<const SitesInterpolator> sites;
    SolFunction sol;
    const TableRows* rows = nullptr;
    std::vector<uint32_t> numbers;  // the row of each point

    /// The rows behind an answer at (n, k, m).
    Ground ground(const Coordinates& nkm) const;
  };
  /// Null when the mode has no rows.
  std::shared_ptr<const Slice> slice(QuantMode quant) const;
  /// Over (m, n, k) of the rows of `rows_of`, with the speed of light of `sol_of`; null when there is none.
  std::shared_ptr<const UtilisationGrid> utilisation(QuantMode rows_of, QuantMode sol_of) const;
  /// Modes with rows, in order of first appearance.
  const std::vector<QuantMode>& modes() const { return modes_; }

  std::string why_missing(QuantMode quant) const;
  std::string why_missing_shape(QuantMode quant, const Coordinates& mnk, std::string_view reason) const;

 private:
  TableKey key_of(QuantMode quant) const;
  PointList points(QuantMode quant, bool sites) const;

  const AicSystem& system_;
  std::shared_ptr<const TableRows> rows_;
  TableFields fields_;
  TableIndex index_;
  std::vector<QuantMode> modes_;
  Memo<int, Slice> slices_;
  Memo<int, UtilisationGrid> utilisations_;
};

}  // namespace perfatlas::aic
