// SPDX-License-Identifier: Apache-2.0
// Sockets, cores and caches, through hwloc.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "perfatlas/hw/system_spec.h"

namespace perfatlas {

struct MachineTopology {
  std::optional<int> sockets, numa_nodes, cores, threads_per_core;
  std::vector<CacheSpec> caches;    // data and unified caches, by level
  std::optional<double> llc_bytes;  // the highest level, all instances together
  std::vector<std::string> notes;
};

/// The part of this machine that the process may use. With `synthetic`, hwloc's description of an imagined machine
/// ("pack:2 l3:1(size=32MiB) core:8 pu:2") is described instead. Throws Error when hwloc cannot be used.
MachineTopology read_topology(const std::string& synthetic = "");

}  // namespace perfatlas
