// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/db/atlas_calibration.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

// The revision rises with everything that changes what is learnt from the same rows.
constexpr std::string_view kMagic = "perfatlas calibration 1\n";

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
  size_t left() const { return bytes_.size(); }

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

}  // namespace

std::string to_bytes(const AtlasCalibration& calibration) {
  std::string payload;
  const std::string bars = to_bytes(calibration.bars);
  append(payload, uint32_t(bars.size()));
  payload += bars;
  for (const auto& [slice, tuning] : calibration.scattered) {
    append(payload, slice);
    append(payload, tuning);
  }
  std::string bytes(kMagic);
  append(bytes, hash64(payload));
  return bytes + payload;
}

std::optional<AtlasCalibration> calibration_from_bytes(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) return std::nullopt;
  Reader from(bytes.substr(kMagic.size()));
  uint64_t checksum = 0;
  from.take(checksum);
  if (!from.good() || hash64(bytes.substr(bytes.size() - from.left())) != checksum) return std::nullopt;
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

std::string CalibrationStore::path_of(const Hash128& origin) const {
  return fmt::format("{}/{}{}.bars", folder_, hex16(origin.high), hex16(origin.low));
}

std::optional<AtlasCalibration> CalibrationStore::load(const Hash128& origin) const {
  if (folder_.empty()) return std::nullopt;
  const std::ifstream in(path_of(origin), std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream bytes;
  bytes << in.rdbuf();
  return calibration_from_bytes(bytes.str());
}

void CalibrationStore::store(const Hash128& origin, const AtlasCalibration& calibration) const {
  if (folder_.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) return;
  const std::string path = path_of(origin), temporary = fmt::format("{}.{}", path, ::getpid());
  bool written = false;
  {
    std::ofstream out(temporary, std::ios::binary);
    out << to_bytes(calibration);
    written = bool(out.flush());
  }
  if (written) std::filesystem::rename(temporary, path, error);
  if (!written || error) std::filesystem::remove(temporary, error);
}

}  // namespace perfatlas
