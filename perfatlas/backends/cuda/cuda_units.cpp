// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/cuda_units.h"

#include <fmt/format.h>

#include <algorithm>

namespace perfatlas {

std::string_view cuda_type_name(DType type) {
  switch (type) {
    case DType::bf16:
      return "bf16";
    case DType::f16:
      return "f16";
    case DType::f32:
      return "f32";
    case DType::fp8_e4m3:
      return "fp8";
    case DType::int8:
      return "i8";
    default:
      return "none";
  }
}

std::string why_no_unit(std::string_view name, const CudaDevice& device) {
  if (!cuda_units_missing().empty()) return std::string(cuda_units_missing());
  const auto units = cuda_units();
  if (std::none_of(units.begin(), units.end(), [&](const CudaUnit& unit) { return unit.name == name; }))
    return fmt::format("this build has no {}; -DPERFATLAS_CUDA_UNITS=all builds every declared one", name);
  std::string built;
  for (const int capability : cuda_unit_capabilities()) {
    if (capability == device.sm_version()) return {};
    built += fmt::format("{}{}.{}", built.empty() ? "" : ", ", capability / 10, capability % 10);
  }
  return fmt::format("this build's library kernels are for compute capability {}, {} has {}.{}", built,
                     device.info().name, device.sm_version() / 10, device.sm_version() % 10);
}

}  // namespace perfatlas
