// SPDX-License-Identifier: Apache-2.0
// Who may fill whose holes: reuse.yaml of one version's folder and perf_data_reuse_manifest.yaml of a systems folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace perfatlas {

class YamlDocument;

inline constexpr const char* kReuseFile = "reuse.yaml";
inline constexpr const char* kReuseManifestFile = "perf_data_reuse_manifest.yaml";

/// A version that lends a table to the version in whose folder the file lies.
struct TableDonor {
  std::string table;  // stem
  std::string from_version;
  bool operator==(const TableDonor&) const = default;
};

/// The donors in file order. Throws Error "PATH: ..." when the key `reuse` is missing or an entry lacks one of table,
/// from_version, reason and approved_by.
std::vector<TableDonor> parse_reuse(std::string_view text, const std::string& path);
std::vector<TableDonor> read_reuse(const YamlDocument& document);

/// A kernel that is the same in several frameworks.
struct SharedKernel {
  std::string table;  // stem
  std::string kernel;
  std::vector<std::string> frameworks;
  bool operator==(const SharedKernel&) const = default;
};

/// The entries by which rows may be taken over: tiers shared and shared_fallback with more than one framework. Throws
/// Error "PATH: ..." when the file is wrong.
std::vector<SharedKernel> parse_reuse_manifest(std::string_view text, const std::string& path);
std::vector<SharedKernel> read_reuse_manifest(const YamlDocument& document);

}  // namespace perfatlas
