// SPDX-License-Identifier: Apache-2.0
// What Linux says about the processor.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace perfatlas {

struct CpuInfo {
  std::string model_name;  // the vendor's text, blanks collapsed; empty when not stated (many ARM parts)
  std::vector<std::string> isa;  // extensions that matter to kernels and that the kernel has enabled
  bool hypervisor = false;       // a virtual machine: sizes of caches are what the host claims
};

/// Reads the first processor of the text of /proc/cpuinfo. Missing lines leave their field empty.
CpuInfo parse_cpuinfo(std::string_view cpuinfo);

/// A folder name for a CPU: the brand without marks and filler words, cores, and the widest matrix or vector
/// extension: "xeon_platinum_8480_112c_amx", "epyc_9654_96c_avx512". `cores` 0: unknown and left out.
std::string suggest_cpu_system(const CpuInfo& cpu, int cores);

/// A folder name for a part that is in no table: "NVIDIA H100 NVL" is h100_nvl.
std::string suggest_gpu_system(std::string_view device_name);

}  // namespace perfatlas
