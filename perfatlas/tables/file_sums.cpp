// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/file_sums.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

constexpr size_t kDigits = 16;
constexpr std::string_view kGap = "  ";

std::optional<uint64_t> number_of(std::string_view digits) {
  uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, value, 16);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(value) : std::nullopt;
}

}  // namespace

FileSums FileSums::parse(std::string_view text) {
  FileSums sums;
  for (const std::string_view line : split(text, '\n')) {
    if (line.size() <= 2 * kDigits + kGap.size() || line.substr(2 * kDigits, kGap.size()) != kGap) continue;
    const auto high = number_of(line.substr(0, kDigits)), low = number_of(line.substr(kDigits, kDigits));
    if (high && low) sums.sums_[std::string(line.substr(2 * kDigits + kGap.size()))] = {*high, *low};
  }
  return sums;
}

std::string FileSums::text() const {
  std::string text;
  for (const auto& [path, sum] : sums_)
    text += fmt::format("{}{}{}{}\n", hex16(sum.high), hex16(sum.low), kGap, path);
  return text;
}

bool FileSums::fits(std::string_view path, std::string_view content) const {
  const auto listed = sums_.find(path);
  return listed == sums_.end() || listed->second == hash128(content);
}

}  // namespace perfatlas
