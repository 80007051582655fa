// SPDX-License-Identifier: Apache-2.0
// Who may fill whose holes: reuse.yaml of one version's folder and perf_data_reuse_manifest.yaml of a systems folder.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace perfatlas {

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

/// The entries as a line each, and back: reading the published manifest as YAML takes 10 ms, this 0.1 ms.
std::string shared_kernel_lines(const std::vector<SharedKernel>& kernels);
/// Nothing when the lines are not those of shared_kernel_lines.
std::optional<std::vector<SharedKernel>> shared_kernels_of_lines(std::string_view lines);

}  // namespace perfatlas
