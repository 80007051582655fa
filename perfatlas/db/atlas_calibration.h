// SPDX-License-Identifier: Apache-2.0
// What a table of the engine "atlas" learns from its own rows: most of the time of loading one goes into it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "perfatlas/base/hash.h"
#include "perfatlas/interp/atlas_bars.h"
#include "perfatlas/interp/atlas_kriging.h"
#include "perfatlas/tables/kept_files.h"

namespace perfatlas {

struct AtlasCalibration {
  AtlasBars bars;
  std::map<uint32_t, KrigingTuning> scattered;  // by the number of the slice
};

/// Calibrations kept on disk beside decoded tables, named after the rows that they were learnt from
/// (TableRows::origin), as KeptFiles says.
class CalibrationStore {
 public:
  /// `folder`: made when something is stored; empty: nothing is kept.
  explicit CalibrationStore(std::string folder) : kept_(std::move(folder)) {}

  std::optional<AtlasCalibration> load(const Hash128& origin) const;
  void store(const Hash128& origin, const AtlasCalibration& calibration) const;

 private:
  KeptFiles kept_;
};

}  // namespace perfatlas
