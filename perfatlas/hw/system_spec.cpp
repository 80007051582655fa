// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/hw/system_spec.h"

#include <nlohmann/json.hpp>

#include "perfatlas/base/file.h"
#include "perfatlas/hw/system_spec_keys_impl.h"

namespace perfatlas {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
void put(Json& json, const char* key, const std::optional<T>& value) {
  if (value) json[key] = *value;
}

Json figure_json(const Figure& figure) {
  Json json = Json::object();
  put(json, key::kDatasheet, figure.datasheet);
  put(json, key::kMeasured, figure.measured);
  put(json, key::kMeasuredRelCi95, figure.measured_rel_ci95);
  return json;
}

void put_figure(Json& json, const char* key, const Figure& figure) {
  if (figure != Figure{}) json[key] = figure_json(figure);
}

Json cpu_json(const SystemSpec& spec) {
  Json json = Json::object();
  put(json, key::kSockets, spec.sockets);
  put(json, key::kNumaNodes, spec.numa_nodes);
  put(json, key::kCores, spec.cores);
  put(json, key::kThreadsPerCore, spec.threads_per_core);
  if (!spec.isa.empty()) json[key::kIsa] = spec.isa;
  return json;
}

Json cuda_json(const SystemSpec& spec) {
  Json json = Json::object();
  put(json, key::kSmVersion, spec.sm_version);
  put(json, key::kPowerLimit, spec.power_limit_w);
  put(json, key::kMaxClock, spec.max_clock_mhz);
  return json;
}

Json caches_json(const std::vector<CacheSpec>& caches) {
  Json json = Json::array();
  for (const CacheSpec& cache : caches)
    json.push_back(
        {{key::kLevel, cache.level}, {key::kBytes, cache.bytes}, {key::kInstances, cache.instances}});
  return json;
}

}  // namespace

std::string system_spec_json(const SystemSpec& spec) {
  Json json;
  json[key::kFormat] = key::kFormatName;
  json[key::kRevision] = kSystemSpecRevision;
  json[key::kSystem] = spec.system;
  json[key::kDevice] = spec.device;
  json[key::kKind] = spec.kind;
  put(json, key::kMemoryBytes, spec.memory_bytes);
  put(json, key::kLlcBytes, spec.llc_bytes);
  put_figure(json, key::kMemoryBandwidth, spec.memory_bandwidth);
  put_figure(json, key::kLlcBandwidth, spec.llc_bandwidth);
  for (const auto& [type, figure] : spec.flops)
    json[key::kFlops][std::string(name_of(type))] = figure_json(figure);
  if (Json cpu = cpu_json(spec); !cpu.empty()) json[key::kCpu] = std::move(cpu);
  if (!spec.caches.empty()) json[key::kCaches] = caches_json(spec.caches);
  if (Json cuda = cuda_json(spec); !cuda.empty()) json[key::kCuda] = std::move(cuda);
  if (!spec.probed_at.empty()) json[key::kProbedAt] = spec.probed_at;
  if (!spec.versions.empty()) json[key::kVersions] = spec.versions;
  // Bytes that are not UTF-8 (a vendor string) are replaced, so that the file can always be read back.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

SystemSpec read_system_spec(const std::string& path) { return parse_system_spec(read_file(path), path).spec; }

void write_system_spec(const SystemSpec& spec, const std::string& path) {
  replace_file(path, system_spec_json(spec));
}

}  // namespace perfatlas
