// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/wall_clock.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <ctime>

#include "perfatlas/base/hash.h"
#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

struct UtcTime {
  std::tm calendar{};
  int64_t microseconds = 0;  // within the second
};

UtcTime utc_time() {
  using namespace std::chrono;
  const auto since_epoch = duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
  return {fmt::gmtime(std::time_t(since_epoch / 1'000'000)), since_epoch % 1'000'000};
}

}  // namespace

std::string utc_now() {
  const UtcTime t = utc_time();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", t.calendar, t.microseconds / 1000);
}

std::optional<double> utc_seconds(const std::string& text) {
  std::tm calendar{};
  const char* const rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &calendar);
  if (rest == nullptr) return std::nullopt;
  const std::string_view fraction(rest);
  if (!fraction.ends_with('Z')) return std::nullopt;
  std::string digits(1, '0');
  digits.append(fraction.substr(0, fraction.size() - 1));
  const auto part = parse_real(digits);
  if (!part) return std::nullopt;
  return double(::timegm(&calendar)) + *part;
}

std::string new_run_id() {
  const UtcTime t = utc_time();
  const auto ticks = std::chrono::steady_clock::now().time_since_epoch().count();
  const std::string unique = fmt::format("{} {} {}", host_name(), ::getpid(), ticks);
  return fmt::format("{:%Y%m%dT%H%M%S}.{:06}Z-{:08x}", t.calendar, t.microseconds, checksum32(unique));
}

std::string host_name() {
  char name[256] = "";
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "unknown host";
}

}  // namespace perfatlas
