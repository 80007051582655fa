// SPDX-License-Identifier: Apache-2.0
// Which files a table of a system, back end and version is made from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/store/layout.h"

namespace perfatlas {

/// Whether other versions and other back ends may fill holes. On for silicon and hybrid questions; off for empirical
/// ones and the speed of light.
enum class SharedLayer { off, on };

/// What a table is asked for.
struct TableRequest {
  std::string system;
  std::string backend;
  std::string version;  // of a folder; slots are resolved before (SystemsRoot::resolve_version)
  SharedLayer shared = SharedLayer::on;
  bool operator==(const TableRequest&) const = default;
};

/// How a file came to be a source.
enum class SourceChannel {
  primary,  // of the requested back end and version
  donor,    // declared in the version's reuse.yaml
  earlier,  // an earlier version of the same back end
  sibling,  // another back end's, where the reuse manifest says that kernels are the same
};

/// One file of a table.
struct TableSource {
  SourceChannel channel = SourceChannel::primary;
  std::string family;  // empty in the plain layout
  std::string backend;
  std::string version;
  std::string table;  // stem
  std::string path;   // in the tree
  TableFormat format = TableFormat::parquet;
  std::vector<std::string> kernels = {};  // only rows of these; empty: all
  bool operator==(const TableSource&) const = default;
};

}  // namespace perfatlas
