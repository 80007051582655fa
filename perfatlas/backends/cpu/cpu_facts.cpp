// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cpu/cpu_facts.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

/// "key : value" or "key: 123 kB" of a /proc file.
std::optional<std::string> proc_value(const char* path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(':');
    if (colon != line.npos && trim(std::string_view(line).substr(0, colon)) == key)
      return std::string(trim(std::string_view(line).substr(colon + 1)));
  }
  return std::nullopt;
}

std::optional<double> meminfo_bytes(std::string_view key) {
  const auto text = proc_value("/proc/meminfo", key);
  if (!text) return std::nullopt;
  const auto kib = parse_integer(split(*text, ' ')[0]);
  return kib ? std::optional(double(*kib) * 1024) : std::nullopt;
}

/// "480M", "2048K".
std::optional<double> cache_size_bytes(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const double unit = text.back() == 'K' ? 1024 : text.back() == 'M' ? 1024 * 1024 : 0;
  const auto number = parse_integer(text.substr(0, text.size() - (unit > 0)));
  return number ? std::optional(double(*number) * (unit > 0 ? unit : 1)) : std::nullopt;
}

struct CacheInstance {
  int64_t level = 0;
  double bytes = 0;
  std::string shared_by;
};

std::optional<CacheInstance> read_cache(const std::string& folder) {
  const auto level = first_line(folder + "/level"), size = first_line(folder + "/size");
  const auto type = first_line(folder + "/type"), shared = first_line(folder + "/shared_cpu_list");
  if (!level || !size || !type || *type == "Instruction") return std::nullopt;
  const auto number = parse_integer(*level);
  const auto bytes = cache_size_bytes(*size);
  if (!number || !bytes) return std::nullopt;
  return CacheInstance{*number, *bytes, shared.value_or("")};
}

/// Limit and use of the control group (and of those above it) that this process is in, version 1 or 2.
struct GroupMemory {
  double limit = INFINITY;
  double available = INFINITY;
};

void narrow(GroupMemory& memory, const std::string& limit_file, const std::string& use_file) {
  const auto limit_text = first_line(limit_file), use_text = first_line(use_file);
  const auto limit = limit_text ? parse_integer(*limit_text) : std::nullopt;  // "max": none
  if (!limit) return;
  memory.limit = std::min(memory.limit, double(*limit));
  if (const auto used = use_text ? parse_integer(*use_text) : std::nullopt)
    memory.available = std::min(memory.available, double(*limit) - double(*used));
}

GroupMemory group_memory() {
  GroupMemory memory;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const auto parts = split(line, ':');
    if (parts.size() != 3 || !(parts[1] == "memory" || parts[0] == "0")) continue;
    const bool version2 = parts[1].empty();
    const std::string root = version2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    std::filesystem::path path = std::string(parts[2]);
    for (int depth = 0; depth < 32;
         ++depth) {  // inside a container the own path may not exist, its root does
      const std::string folder = root + path.string();
      if (version2)
        narrow(memory, folder + "/memory.max", folder + "/memory.current");
      else
        narrow(memory, folder + "/memory.limit_in_bytes", folder + "/memory.usage_in_bytes");
      if (!path.has_relative_path()) break;
      path = path.parent_path();
    }
  }
  return memory;
}

std::optional<double> smaller(std::optional<double> machine, double group) {
  if (!machine) return std::isfinite(group) ? std::optional(group) : std::nullopt;
  return std::min(*machine, group);
}

}  // namespace

std::optional<std::string> first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

std::string cpu_model_name() { return proc_value("/proc/cpuinfo", "model name").value_or("unknown CPU"); }

std::optional<double> last_level_cache_bytes(const std::vector<int>& cores) {
  int64_t last_level = 0;
  std::map<std::string, double> instances;  // of the highest level seen, by the cores that share them
  for (const int core : cores)
    for (int index = 0; index < 16; ++index) {
      const auto cache = read_cache(fmt::format("/sys/devices/system/cpu/cpu{}/cache/index{}", core, index));
      if (!cache || cache->level < last_level) continue;
      if (cache->level > last_level) instances.clear();
      last_level = cache->level;
      instances[cache->shared_by] = cache->bytes;
    }
  double total = 0;
  for (const auto& [shared_by, bytes] : instances) total += bytes;
  if (total > 0) return total;
  const long level3 = ::sysconf(_SC_LEVEL3_CACHE_SIZE);
  return level3 > 0 ? std::optional(double(level3)) : std::nullopt;
}

std::optional<double> memory_limit_bytes() {
  return smaller(meminfo_bytes("MemTotal"), group_memory().limit);
}

std::optional<double> memory_available_bytes() {
  return smaller(meminfo_bytes("MemAvailable"), group_memory().available);
}

}  // namespace perfatlas
