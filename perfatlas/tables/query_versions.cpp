// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/query_versions.h"

#include <algorithm>
#include <cctype>

#include "perfatlas/base/text.h"
#include "perfatlas/tables/yaml_impl.h"

namespace perfatlas {
namespace {

QueryVersions::ByBackend read_backends(const YamlPlace& map) {
  QueryVersions::ByBackend slots;
  map.each_key([&](const std::string& backend, const YamlPlace& entry) {
    entry.need_map();
    slots[backend] = {entry.text_of("current"), entry.text_of("previous"), {}};
  });
  return slots;
}

}  // namespace

bool QueryVersions::overridden(std::string_view system, std::string_view backend) const {
  const auto found = overrides.find(system);
  return found != overrides.end() && found->second.find(backend) != found->second.end();
}

VersionSlots QueryVersions::written(std::string_view system, std::string_view backend) const {
  if (overridden(system, backend)) return overrides.find(system)->second.find(backend)->second;
  const auto found = defaults.find(backend);
  return found == defaults.end() ? VersionSlots{} : found->second;
}

QueryVersions read_query_versions(const YamlDocument& document) {
  QueryVersions versions;
  const YamlPlace root = document.root();
  versions.defaults = read_backends(root.need("defaults"));
  if (root.has("overrides"))
    root.at("overrides").each_key([&](const std::string& system, const YamlPlace& map) {
      versions.overrides[system] = read_backends(map);
    });
  return versions;
}

QueryVersions parse_query_versions(std::string_view text, const std::string& path) {
  return read_query_versions(YamlDocument::parse(text, path));
}

std::optional<std::vector<int64_t>> version_tuple(std::string_view version) {
  constexpr size_t kParts = 3;
  const auto number = [&]() -> std::optional<int64_t> {
    const auto end = std::find_if(version.begin(), version.end(),
                                  [](char c) { return std::isdigit(static_cast<unsigned char>(c)) == 0; });
    const auto value = parse_integer(version.substr(0, size_t(end - version.begin())));
    if (value) version.remove_prefix(size_t(end - version.begin()));
    return value;
  };
  std::vector<int64_t> tuple;
  for (auto part = number(); part; part = number()) {
    if (tuple.size() < kParts) tuple.push_back(*part);
    if (version.size() < 2 || version[0] != '.' || std::isdigit(static_cast<unsigned char>(version[1])) == 0)
      break;
    version.remove_prefix(1);
  }
  if (tuple.empty()) return std::nullopt;
  tuple.resize(kParts);
  int64_t candidate = 0;
  const bool stable = !version.starts_with("rc");
  if (!stable) {
    version.remove_prefix(2);
    candidate = number().value_or(0);
  }
  int64_t trailing = 0;
  const size_t digit = version.find_first_of("0123456789");
  if (digit != version.npos) {
    version.remove_prefix(digit);
    trailing = number().value_or(0);
  }
  tuple.insert(tuple.end(), {stable ? 1 : 0, candidate, trailing});
  return tuple;
}

std::vector<int64_t> leading_integers(std::string_view version) {
  std::vector<int64_t> numbers;
  for (const std::string_view part : split(version, '.')) {
    const size_t digits = std::min(part.find_first_not_of("0123456789"), part.size());
    const auto number = parse_integer(part.substr(0, digits));
    if (!number) break;
    numbers.push_back(*number);
    if (digits < part.size()) break;
  }
  return numbers;
}

}  // namespace perfatlas
