// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/hw/machine_probe.h"

#include <fmt/chrono.h>
#include <sys/utsname.h>

#include <ctime>
#include <fstream>
#include <sstream>

#include "perfatlas/base/error.h"
#include "perfatlas/hw/machine_catalogue.h"
#include "perfatlas/hw/machine_cpuinfo.h"
#include "perfatlas/hw/machine_limits.h"
#include "perfatlas/hw/machine_topology.h"

namespace perfatlas {
namespace {

std::string utc_now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

CpuInfo read_cpuinfo(const std::string& root) {
  const std::string path = root + "/proc/cpuinfo";
  std::ifstream in(path);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in || !text) throw Error(path + ": cannot be read; perfatlas needs Linux with /proc mounted");
  return parse_cpuinfo(text.str());
}

void append(std::vector<std::string>& notes, const std::vector<std::string>& more) {
  notes.insert(notes.end(), more.begin(), more.end());
}

SystemSpec describe_cpu(const ProbeSources& sources, std::vector<std::string>& notes) {
  const CpuInfo cpu = read_cpuinfo(sources.root);
  const MachineTopology topology = read_topology(sources.synthetic_topology);
  const MachineLimits limits = read_machine_limits(sources.root);
  utsname linux{};
  SystemSpec spec{.kind = "cpu"};
  if (::uname(&linux) == 0) spec.versions["linux"] = linux.release;
  spec.system = suggest_cpu_system(cpu, topology.cores.value_or(0));
  spec.device = !cpu.model_name.empty() ? cpu.model_name : fmt::format("{} processor", linux.machine);
  spec.memory_bytes = limits.memory_bytes;
  spec.llc_bytes = topology.llc_bytes;
  spec.sockets = topology.sockets;
  spec.numa_nodes = topology.numa_nodes;
  spec.cores = topology.cores;
  spec.threads_per_core = topology.threads_per_core;
  spec.isa = cpu.isa;
  spec.caches = topology.caches;
  if (cpu.model_name.empty()) notes.push_back("processor: the kernel does not state its name");
  if (cpu.hypervisor)
    notes.push_back(
        "virtual machine: cache sizes are what its host states and may be shared with other machines");
  append(notes, topology.notes);
  append(notes, limits.notes);
  return spec;
}

}  // namespace

SystemSpec describe_gpu(const NvmlGpu& gpu, const NvmlMachine& machine) {
  SystemSpec spec{.kind = "cuda"};
  const auto known = find_known_device(gpu.name);
  spec.system = known ? known->system : suggest_gpu_system(gpu.name);
  if (gpu.partitioned) spec.system += "_mig";
  spec.device = gpu.name;
  spec.memory_bytes = gpu.memory_bytes;
  spec.sm_version = gpu.sm_version;
  spec.power_limit_w = gpu.power_limit_w;
  spec.max_clock_mhz = gpu.max_clock_mhz;
  if (known && !gpu.partitioned) {
    spec.llc_bytes = known->llc_bytes;
    spec.memory_bandwidth = known->memory_bandwidth;
    spec.llc_bandwidth = known->llc_bandwidth;
    spec.flops = known->flops;
  }
  if (!machine.driver_version.empty()) spec.versions["nvidia_driver"] = machine.driver_version;
  if (!machine.cuda_version.empty()) spec.versions["cuda_driver"] = machine.cuda_version;
  return spec;
}

MachineDescription describe_machine(const ProbeSources& sources) {
  MachineDescription machine;
  machine.cpu = describe_cpu(sources, machine.notes);
  machine.cpu.probed_at = utc_now();
  const NvmlMachine nvml = read_nvml(sources.nvml_library);
  append(machine.notes, nvml.notes);
  for (size_t i = 0; i < nvml.gpus.size(); ++i) {
    const NvmlGpu& gpu = nvml.gpus[i];
    machine.gpus.push_back(describe_gpu(gpu, nvml));
    machine.gpus.back().probed_at = machine.cpu.probed_at;
    if (gpu.partitioned)
      machine.notes.push_back(fmt::format("GPU {}: partitioned (MIG); data-sheet figures are left out", i));
    else if (!find_known_device(gpu.name))
      machine.notes.push_back(
          fmt::format("GPU {}: no data sheet for \"{}\" is known; its peaks are known once they are measured",
                      i, gpu.name));
  }
  return machine;
}

}  // namespace perfatlas
