// SPDX-License-Identifier: Apache-2.0
// What a table of the engine "atlas" learns from its own rows: most of the time of loading one goes into it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "perfatlas/base/hash.h"
#include "perfatlas/interp/atlas_bars.h"
#include "perfatlas/interp/atlas_kriging.h"

namespace perfatlas {

struct AtlasCalibration {
  AtlasBars bars;
  std::map<uint32_t, KrigingTuning> scattered;  // by the number of the slice
};

/// Bytes for a file, the same on every machine with IEEE floats, little-endian.
std::string to_bytes(const AtlasCalibration& calibration);
/// Nothing when the bytes are not those of to_bytes.
std::optional<AtlasCalibration> calibration_from_bytes(std::string_view bytes);

/// Calibrations kept on disk beside decoded tables, named after the rows that they were learnt from (TableRows::origin). Nothing but time is lost when the folder is missing, read-only,
/// emptied or damaged. Safe for any number of processes at once.
class CalibrationStore {
 public:
  /// `folder`: made when something is stored; empty: nothing is kept.
  explicit CalibrationStore(std::string folder) : folder_(std::move(folder)) {}

  std::optional<AtlasCalibration> load(const Hash128& origin) const;
  void store(const Hash128& origin, const AtlasCalibration& calibration) const;

 private:
  std::string path_of(const Hash128& origin) const;
  std::string folder_;
};

}  // namespace perfatlas
