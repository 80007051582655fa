// SPDX-License-Identifier: Apache-2.0
// Describes the machine this process runs on. Reads only; measuring its peaks is a worker's job (measured_peaks.h
// merges what a worker found).
#pragma once

#include <string>
#include <vector>

#include "perfatlas/hw/machine_nvml.h"
#include "perfatlas/hw/system_spec.h"

namespace perfatlas {

/// Where to look. The defaults are this machine; tests name other places.
struct ProbeSources {
  std::string root = "/";
  std::string synthetic_topology;  // see read_topology; empty: the real one
  std::string nvml_library = "libnvidia-ml.so.1";
};

struct MachineDescription {
  SystemSpec cpu;
  std::vector<SystemSpec> gpus;    // one per GPU, in NVML's order
  std::vector<std::string> notes;  // what is limited, unknown or left out, and why; one line each
};

/// Takes milliseconds. Unknown values are absent; data-sheet figures appear only for parts of the catalogue
/// (machine_catalogue.h). Throws Error when the processor cannot be described at all.
MachineDescription describe_machine(const ProbeSources& sources = {});

/// One GPU. A partitioned GPU (MIG) gets no data-sheet figures, since its instances
/// have a part of them, and another name, so that its tables are not mixed with those of the whole part.
SystemSpec describe_gpu(const NvmlGpu& gpu, const NvmlMachine& machine);

}  // namespace perfatlas
