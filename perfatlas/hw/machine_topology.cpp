// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/hw/machine_topology.h"

#include <hwloc.h>

#include <map>
#include <memory>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

using TopologyOwner = std::unique_ptr<hwloc_topology, decltype(&hwloc_topology_destroy)>;

TopologyOwner load(const std::string& synthetic) {
  hwloc_topology_t raw = nullptr;
  if (hwloc_topology_init(&raw) != 0)
    throw Error("hwloc: no memory for a topology; close other programs and try again");
  TopologyOwner topology(raw, &hwloc_topology_destroy);
  if (!synthetic.empty() && hwloc_topology_set_synthetic(raw, synthetic.c_str()) != 0)
    throw Error("hwloc: \"" + synthetic + "\" is not a synthetic topology; see hwloc(7)");
  if (hwloc_topology_load(raw) != 0)
    throw Error("hwloc: this machine's topology cannot be read; check that /sys is mounted");
  return topology;
}

/// How many objects of a type there are; nothing when hwloc does not know the type here.
std::optional<int> count(hwloc_topology_t topology, hwloc_obj_type_t type) {
  const int number = hwloc_get_nbobjs_by_type(topology, type);
  return number > 0 ? std::optional(number) : std::nullopt;
}

/// Levels whose instances differ in size (hybrid processors) appear once per size.
std::vector<CacheSpec> caches(hwloc_topology_t topology) {
  std::map<std::pair<int, double>, int> instances;
  for (const hwloc_obj_type_t type :
       {HWLOC_OBJ_L1CACHE, HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L3CACHE, HWLOC_OBJ_L4CACHE, HWLOC_OBJ_L5CACHE})
    for (hwloc_obj_t object = nullptr; (object = hwloc_get_next_obj_by_type(topology, type, object));)
      if (object->attr->cache.size > 0)
        ++instances[{int(object->attr->cache.depth), double(object->attr->cache.size)}];
  std::vector<CacheSpec> result;
  for (const auto& [cache, number] : instances) result.push_back({cache.first, cache.second, number});
  return result;
}

std::optional<double> last_level_bytes(const std::vector<CacheSpec>& caches) {
  if (caches.empty()) return std::nullopt;
  double bytes = 0;
  for (const CacheSpec& cache : caches)
    if (cache.level == caches.back().level) bytes += cache.bytes * cache.instances;
  return bytes;
}

}  // namespace

MachineTopology read_topology(const std::string& synthetic) {
  const TopologyOwner topology = load(synthetic);
  MachineTopology result;
  result.sockets = count(topology.get(), HWLOC_OBJ_PACKAGE);
  result.numa_nodes = count(topology.get(), HWLOC_OBJ_NUMANODE);
  result.cores = count(topology.get(), HWLOC_OBJ_CORE);
  const auto threads = count(topology.get(), HWLOC_OBJ_PU);
  if (threads && result.cores && *threads % *result.cores == 0)
    result.threads_per_core = *threads / *result.cores;
  else if (threads && result.cores)
    result.notes.push_back("cores: not all have the same number of threads; threads per core is left out");
  result.caches = caches(topology.get());
  result.llc_bytes = last_level_bytes(result.caches);
  return result;
}

}  // namespace perfatlas
