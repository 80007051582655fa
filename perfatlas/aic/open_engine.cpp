// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/open_engine.h"

#include <algorithm>

#include "perfatlas/tables/systems_root.h"

namespace perfatlas::aic {
namespace {

bool is_slot(std::string_view version) {
  return version == "current" || version == "previous" || version == "next";
}

}  // namespace

bool answers_without_tables(const SystemsRoot& root, const EnginePlace& place, Mode mode) {
  if (mode != Mode::sol && mode != Mode::sol_full) return false;
  if (is_slot(place.version)) return false;
  const std::vector<std::string> known = root.versions(place.system, place.backend);
  if (!known.empty())
    return root.allows_unlisted_versions() && !place.version.empty() &&
           std::find(known.begin(), known.end(), place.version) == known.end() &&
           root.slots(place.system, place.backend).next != place.version;
  const auto& systems = root.systems();
  return std::any_of(systems.begin(), systems.end(), [&](const std::string& system) {
    return !root.versions(system, place.backend).empty();
  });
}

Engine open_engine(const SystemsRoot& root, const EnginePlace& place, Mode mode) {
  if (answers_without_tables(root, place, mode)) return Engine::described(root, place.system, place.backend);
  return Engine::open(root, place.system, place.backend, place.version);
}

}  // namespace perfatlas::aic
