// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/db/atlas_calibration.h"

#include <fmt/format.h>

#include <cstring>
#include <string_view>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

/// Rises with everything that changes what is learnt from the same rows, or the bytes below.
constexpr uint64_t kRevision = 1;

template <class T>
void append(std::string& bytes, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// Reads values one after the other; says once that there were too few.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  template <class T>
  void take(T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (bytes_.size() < sizeof value) return void(good_ = false);
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_.remove_prefix(sizeof value);
  }
  std::string_view take_bytes(size_t count) {
    if (bytes_.size() < count) return good_ = false, std::string_view();
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  bool good() const { return good_; }
  bool at_end() const { return good_ && bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool good_ = true;
};

void append(std::string& bytes, const KrigingTuning& tuning) {
  append(bytes, tuning.settings.length);
  append(bytes, tuning.settings.kriging.nugget);
  append(bytes, tuning.settings.kriging.linear);
  append(bytes, uint8_t(tuning.settings.kriging.covariance));
  append(bytes, tuning.width_per_deviation);
  append(bytes, uint32_t(tuning.doubts.size()));
  for (const auto& [point, doubt] : tuning.doubts) {
    append(bytes, point);
    append(bytes, doubt);
  }
}

KrigingTuning take_tuning(Reader& from) {
  KrigingTuning tuning;
  uint8_t covariance = 0;
  uint32_t doubts = 0;
  from.take(tuning.settings.length);
  from.take(tuning.settings.kriging.nugget);
  from.take(tuning.settings.kriging.linear);
  from.take(covariance);
  from.take(tuning.width_per_deviation);
  from.take(doubts);
  tuning.settings.kriging.covariance = Covariance(covariance);
  for (uint32_t i = 0; i < doubts && from.good(); ++i) {
    auto& [point, doubt] = tuning.doubts.emplace_back();
    from.take(point);
    from.take(doubt);
  }
  return tuning;
}

std::string to_bytes(const AtlasCalibration& calibration) {
  std::string bytes;
  const std::string bars = perfatlas::to_bytes(calibration.bars);
  append(bytes, uint32_t(bars.size()));
  bytes += bars;
  for (const auto& [slice, tuning] : calibration.scattered) {
    append(bytes, slice);
    append(bytes, tuning);
  }
  return bytes;
}

/// Nothing when the bytes are not those of to_bytes.
std::optional<AtlasCalibration> calibration_from_bytes(std::string_view bytes) {
  Reader from(bytes);
  uint32_t size = 0;
  from.take(size);
  AtlasCalibration calibration;
  try {
    calibration.bars = bars_from_bytes(from.take_bytes(size));
  } catch (const Error&) {
    return std::nullopt;  // of another revision
  }
  while (from.good() && !from.at_end()) {
    uint32_t slice = 0;
    from.take(slice);
    calibration.scattered.emplace(slice, take_tuning(from));
  }
  if (!from.good()) return std::nullopt;
  return calibration;
}

std::string name_of(const Hash128& origin) {
  return fmt::format("calibration {}{}", hex16(origin.high), hex16(origin.low));
}

}  // namespace

std::optional<AtlasCalibration> CalibrationStore::load(const Hash128& origin) const {
  const auto bytes = kept_.load(name_of(origin), {origin, kRevision});
  if (!bytes) return std::nullopt;
  return calibration_from_bytes({static_cast<const char*>(bytes->data), bytes->bytes});
}

void CalibrationStore::store(const Hash128& origin, const AtlasCalibration& calibration) const {
  if (kept_.enabled()) kept_.store(name_of(origin), {origin, kRevision}, to_bytes(calibration));
}

}  // namespace perfatlas
