// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/hw/machine_text.h"

#include <fmt/format.h>

#include <iterator>

#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

/// `value` in the largest unit that leaves it at 1 or more.
template <size_t N>
std::string scaled(double value, double step, const std::string_view (&prefixes)[N],
                   const std::string& unit) {
  size_t prefix = 0;
  while (value >= step * (1 - 5e-4) && prefix + 1 < N) {
    value /= step;
    ++prefix;
  }
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  std::string digits = fmt::format("{:.{}f}", value, decimals);
  if (digits.find('.') != std::string::npos) {
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') digits.pop_back();
  }
  return fmt::format("{} {}{}", digits, prefixes[prefix], unit);
}

std::string plural(int number, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", number, number == 1 ? one : many);
}

void line(std::string& text, std::string_view label, std::string_view content) {
  if (!content.empty()) fmt::format_to(std::back_inserter(text), "{:<12}{}\n", label, content);
}

std::string cores_line(const SystemSpec& spec) {
  std::vector<std::string> parts;
  if (spec.cores) parts.push_back(plural(*spec.cores, "core", "cores"));
  if (spec.threads_per_core)
    parts.push_back(plural(*spec.threads_per_core, "thread", "threads") + " per core");
  if (spec.sockets) parts.push_back(plural(*spec.sockets, "socket", "sockets"));
  if (spec.numa_nodes) parts.push_back(plural(*spec.numa_nodes, "NUMA node", "NUMA nodes"));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string caches_line(const SystemSpec& spec) {
  std::vector<std::string> parts;
  for (const CacheSpec& cache : spec.caches)
    parts.push_back(fmt::format("L{} {} x {}", cache.level, bytes_text(cache.bytes), cache.instances));
  if (parts.empty() && spec.llc_bytes) parts.push_back("last level " + bytes_text(*spec.llc_bytes));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string gpu_line(const SystemSpec& spec) {
  std::vector<std::string> parts;
  if (spec.sm_version) parts.push_back(fmt::format("sm_{}", *spec.sm_version));
  if (spec.power_limit_w) parts.push_back(fmt::format("power limit {} W", format_real(*spec.power_limit_w)));
  if (spec.max_clock_mhz) parts.push_back(fmt::format("up to {} MHz", format_real(*spec.max_clock_mhz)));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string versions_line(const SystemSpec& spec) {
  std::vector<std::string> parts;
  for (const auto& [name, version] : spec.versions) parts.push_back(name + " " + version);
  return fmt::format("{}", fmt::join(parts, ", "));
}

void peak_line(std::string& text, std::string_view name, const Figure& figure, const std::string& unit) {
  const std::string datasheet = figure.datasheet ? rate_text(*figure.datasheet, unit) : "-";
  std::string measured = figure.measured ? rate_text(*figure.measured, unit) : "-";
  if (figure.measured && figure.measured_rel_ci95)
    measured += fmt::format(" +- {:.1f} %", *figure.measured_rel_ci95 * 100);
  if (figure.measured && figure.datasheet)
    measured += fmt::format(" ({:.0f} % of the data sheet)", *figure.measured / *figure.datasheet * 100);
  fmt::format_to(std::back_inserter(text), "  {:<22}{:<16}{}\n", name, datasheet, measured);
}

}  // namespace

std::string rate_text(double per_second, const std::string& unit) {
  static constexpr std::string_view kPrefixes[] = {"", "k", "M", "G", "T", "P"};
  return scaled(per_second, 1000, kPrefixes, unit);
}

std::string bytes_text(double bytes) {
  static constexpr std::string_view kPrefixes[] = {"", "Ki", "Mi", "Gi", "Ti"};
  return scaled(bytes, 1024, kPrefixes, "B");
}

std::string system_spec_text(const SystemSpec& spec) {
  std::string text;
  line(text, "system", spec.system);
  line(text, "device", spec.device);
  line(text, "cores", cores_line(spec));
  line(text, "gpu", gpu_line(spec));
  line(text, "isa", fmt::format("{}", fmt::join(spec.isa, " ")));
  line(text, "caches", caches_line(spec));
  line(text, "memory", spec.memory_bytes ? bytes_text(*spec.memory_bytes) : "-");
  line(text, "versions", versions_line(spec));
  line(text, "probed at", spec.probed_at);
  fmt::format_to(std::back_inserter(text), "{:<24}{:<16}{}\n", "peaks", "data sheet", "measured");
  peak_line(text, "memory bandwidth", spec.memory_bandwidth, "B/s");
  peak_line(text, "last-level cache", spec.llc_bandwidth, "B/s");
  for (const auto& [type, figure] : spec.flops)
    peak_line(text, fmt::format("matrix {}", name_of(type)), figure, "FLOP/s");
  return text;
}

}  // namespace perfatlas
