// SPDX-License-Identifier: Apache-2.0
// One site of a SitesInterpolator, looked up once and asked at many places along its curve: a linear layer keeps its
// weight shape while the tokens of a step change.
#pragma once

#include <vector>

#include "perfatlas/interp/sites.h"

namespace perfatlas {

class SiteCurve {
 public:
  /// `site`: the site axes; the curve axis is ignored. REQUIRES: `sites` outlives the curve.
  SiteCurve(const SitesInterpolator& sites, const Coordinates& site, SolFunction sol);

  /// What SitesInterpolator::read answers at this place of the curve axis. Thread-safe.
  Reading read(int64_t place) const;

 private:
  struct Near {
    double square = 0;  // of the distance in octaves
    uint32_t site = 0;
  };

  const SitesInterpolator& sites_;
  Coordinates site_;
  SolFunction sol_;
  uint32_t known_;          // the site itself, when it was measured
  std::vector<Near> near_;  // else those within reach, nearest first
};

}  // namespace perfatlas
