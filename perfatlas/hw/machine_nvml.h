// SPDX-License-Identifier: Apache-2.0
// NVIDIA GPUs, through the NVML library of the driver. It is opened at run time, so that one executable serves
// machines with and without a GPU.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace perfatlas {

/// One GPU as the driver describes it. What it cannot tell is absent.
struct NvmlGpu {
  std::string name;                     // "NVIDIA H200"
  std::optional<double> memory_bytes;   // total, including what the driver keeps for itself
  std::optional<int> sm_version;        // 90: compute capability 9.0
  std::optional<double> power_limit_w;  // the limit in force
  std::optional<double> max_clock_mhz;  // of the multiprocessors
  bool partitioned = false;             // MIG: instances have only a part of what is described
};

struct NvmlMachine {
  std::vector<NvmlGpu> gpus;
  std::string driver_version;  // "570.86.15"; empty when unknown
  std::string cuda_version;    // newest the driver supports, "12.8"; empty when unknown
  std::vector<std::string> notes;
};

/// Every GPU, in NVML's order. No library, no driver or no GPU is not an error: no GPUs and a note that says why.
NvmlMachine read_nvml(const std::string& library = "libnvidia-ml.so.1");

}  // namespace perfatlas
