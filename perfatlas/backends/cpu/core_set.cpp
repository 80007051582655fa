// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cpu/core_set.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <set>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

constexpr int64_t kMostCores = CPU_SETSIZE;

[[noreturn]] void refuse(std::string_view text) {
  throw UsageError(fmt::format("device '{}' is not a set of core numbers such as 0-3 or 0,2-3 (below {})",
                               text, kMostCores));
}

}  // namespace

std::vector<int> parse_core_set(std::string_view text) {
  std::set<int> cores;
  for (const std::string_view part : split(text, ',')) {
    const size_t dash = part.find('-');
    const auto first = parse_integer(part.substr(0, dash));
    const auto last = dash == part.npos ? first : parse_integer(part.substr(dash + 1));
    if (!first || !last || *first < 0 || *last < *first || *last >= kMostCores) refuse(text);
    for (int64_t core = *first; core <= *last; ++core) cores.insert(int(core));
  }
  return {cores.begin(), cores.end()};
}

std::string core_set_text(const std::vector<int>& cores) {
  std::string text;
  for (size_t i = 0; i < cores.size();) {
    size_t end = i;
    while (end + 1 < cores.size() && cores[end + 1] == cores[end] + 1) ++end;
    if (!text.empty()) text += ',';
    text += end == i ? fmt::format("{}", cores[i]) : fmt::format("{}-{}", cores[i], cores[end]);
    i = end + 1;
  }
  return text;
}

std::vector<int> allowed_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0)
    throw Error(
        "this process may not ask on which cores it runs (sched_getaffinity); run it outside the sandbox");
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  return cores;
}

void require_cores(const std::vector<int>& wanted, const std::vector<int>& allowed) {
  for (const int core : wanted)
    if (!std::binary_search(allowed.begin(), allowed.end(), core))
      throw UsageError(
          fmt::format("device {}: core {} is not there or not allowed to this process, which may use {}",
                      core_set_text(wanted), core, core_set_text(allowed)));
}

}  // namespace perfatlas
