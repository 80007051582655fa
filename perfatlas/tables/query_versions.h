// SPDX-License-Identifier: Apache-2.0
// Which versions of a back end may be asked for: the slots of query_versions.yaml.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace perfatlas {

class YamlDocument;

/// `current`: the newest complete collection; `previous`: the one before; `next`: newer, partly collected.
struct VersionSlots {
  std::optional<std::string> current, previous, next;
  bool operator==(const VersionSlots&) const = default;
};

/// The file as written; `next` is not in it.
struct QueryVersions {
  using ByBackend = std::map<std::string, VersionSlots, std::less<>>;
  ByBackend defaults;
  std::map<std::string, ByBackend, std::less<>> overrides;  // by system

  bool overridden(std::string_view system, std::string_view backend) const;
  /// The entry of a system's back end: its override, else the default; empty slots when neither has one.
  VersionSlots written(std::string_view system, std::string_view backend) const;
};

/// Throws Error "PATH: reason".
QueryVersions parse_query_versions(std::string_view text, const std::string& path);
QueryVersions read_query_versions(const YamlDocument& document);

/// A version as the order of slots sees it: (major, minor, patch, 1 unless a release candidate, its number, trailing
/// number); "1.3.0rc20" is (1, 3, 0, 0, 20, 0), "0.5.6.post2" (0, 5, 6, 1, 0, 2). Missing parts are 0. Nothing when
/// the name does not start with a number.
std::optional<std::vector<int64_t>> version_tuple(std::string_view version);

/// The leading digits of each part between dots, up to the first part that has something else: "1.3.0rc23" is (1, 3,
/// 0). The order of attention_lane_defaults.yaml.
std::vector<int64_t> leading_integers(std::string_view version);

}  // namespace perfatlas
