// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/hw/machine_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

namespace fs = std::filesystem;

/// The content of a small system file; nothing when it is not there.
std::optional<std::string> read_if_there(const fs::path& path) {
  std::ifstream in(path);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::optional<double> installed_memory(const fs::path& root) {
  const auto text = read_if_there(root / "proc/meminfo");
  if (!text) return std::nullopt;
  for (const std::string_view line : split(*text, '\n')) {
    constexpr std::string_view kKey = "MemTotal:";
    if (line.substr(0, kKey.size()) != kKey) continue;
    const std::string_view value = trim(line.substr(kKey.size()));
    if (const auto kib = parse_integer(value.substr(0, value.find(' ')))) return double(*kib) * 1024;
  }
  return std::nullopt;
}

/// This process's group in a hierarchy: controller "" is version 2. From "4:memory:/group" or "0::/group".
std::optional<std::string> group_of(std::string_view cgroup, std::string_view controller) {
  for (const std::string_view line : split(cgroup, '\n')) {
    const auto parts = split(line, ':');
    if (parts.size() < 3) continue;
    const auto names = split(parts[1], ',');
    if (std::find(names.begin(), names.end(), controller) != names.end())
      return std::string(line.substr(parts[0].size() + parts[1].size() + 2));
  }
  return std::nullopt;
}

/// Calls `visit` with the folder of a group and of every group above it.
template <class Visit>
void for_each_group(const fs::path& mount, const std::string& group, const Visit& visit) {
  fs::path relative = fs::path(group).relative_path();
  while (true) {
    visit(mount / relative);
    if (relative.empty()) return;
    relative = relative.parent_path();
  }
}

void lower(std::optional<double>& limit, std::optional<double> value) {
  if (value && (!limit || *value < *limit)) limit = value;
}

std::optional<double> number_in(const fs::path& path) {
  const auto text = read_if_there(path);
  return text ? parse_real(trim(*text)) : std::nullopt;  // "max" is no number and no limit
}

/// "50000 100000": microseconds of processor time per period.
std::optional<double> quota_in(const fs::path& path) {
  const auto text = read_if_there(path);
  if (!text) return std::nullopt;
  const auto parts = split(trim(*text), ' ');
  if (parts.size() != 2) return std::nullopt;
  const auto quota = parse_real(parts[0]), period = parse_real(parts[1]);
  if (!quota || !period || *period <= 0) return std::nullopt;
  return *quota / *period;
}

struct GroupLimits {
  std::optional<double> memory_bytes, cpu_quota;
};

GroupLimits read_group_limits(const fs::path& root) {
  GroupLimits limits;
  const auto cgroup = read_if_there(root / "proc/self/cgroup");
  if (!cgroup) return limits;
  const fs::path mount = root / "sys/fs/cgroup";
  if (const auto group = group_of(*cgroup, ""))
    for_each_group(mount, *group, [&](const fs::path& folder) {
      lower(limits.memory_bytes, number_in(folder / "memory.max"));
      lower(limits.cpu_quota, quota_in(folder / "cpu.max"));
    });
  if (const auto group = group_of(*cgroup, "memory"))
    for_each_group(mount / "memory", *group, [&](const fs::path& folder) {
      lower(limits.memory_bytes, number_in(folder / "memory.limit_in_bytes"));
    });
  if (const auto group = group_of(*cgroup, "cpu"))
    for_each_group(mount / "cpu", *group, [&](const fs::path& folder) {
      const auto quota = number_in(folder / "cpu.cfs_quota_us"),
                 period = number_in(folder / "cpu.cfs_period_us");
      if (quota && period && *quota > 0 && *period > 0) lower(limits.cpu_quota, *quota / *period);
    });
  return limits;
}

}  // namespace

MachineLimits read_machine_limits(const std::string& root) {
  MachineLimits result;
  const GroupLimits group = read_group_limits(root);
  const auto installed = installed_memory(root);
  result.memory_bytes = installed;
  // An unlimited version 1 group states a number near 2^63: compared with what is installed, it is no limit.
  if (group.memory_bytes && installed && *group.memory_bytes < *installed) {
    result.memory_bytes = group.memory_bytes;
    result.notes.push_back(fmt::format("memory: a control group allows {:.1f} of {:.1f} GiB installed",
                                       *group.memory_bytes / (1 << 30), *installed / (1 << 30)));
  }
  result.cpu_quota = group.cpu_quota;
  if (group.cpu_quota)
    result.notes.push_back(fmt::format(
        "processor time: a control group allows {} processors' worth; expect throttling beyond it",
        format_real(*group.cpu_quota)));
  return result;
}

}  // namespace perfatlas
