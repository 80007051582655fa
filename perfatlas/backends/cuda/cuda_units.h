// SPDX-License-Identifier: Apache-2.0
// The kernels of template libraries (FlashInfer, CUTLASS) that this build has: every instantiation is a unit of its
// own, declared in ops/<op>/<op>_cuda_units.cmake. What a build lacks is a reason, not a failure to link.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "perfatlas/backends/cuda/cuda_device.h"

namespace perfatlas {

struct CudaUnit {
  std::string_view name;  // "flashinfer_decode_bf16_bf16_128"
  void (*make)();         // its factory; cuda_unit() gives it its type back
};

/// All units of this build, from a generated file; none in a build without the headers of the libraries.
std::span<const CudaUnit> cuda_units();

/// The compute capabilities (90 for 9.0) that units were compiled for.
std::span<const int> cuda_unit_capabilities();

/// The release of FlashInfer whose kernels were compiled in; empty when there are none.
std::string_view cuda_units_version();

/// What the build is missing altogether, or empty: "built without FlashInfer (tools/get_cuda_headers.sh)".
std::string_view cuda_units_missing();

/// Null when this build has no such unit. `Make` is the type of the factory that its kind declares.
template <class Make>
Make* cuda_unit(std::string_view name) {
  for (const CudaUnit& unit : cuda_units())
    if (unit.name == name) return reinterpret_cast<Make*>(unit.make);
  return nullptr;
}

/// How unit names write an element type: bf16, f16, f32, fp8, i8; "none" for types that no unit has.
std::string_view cuda_type_name(DType type);

/// Why unit `name` cannot run on the device, or empty.
std::string why_no_unit(std::string_view name, const CudaDevice& device);

}  // namespace perfatlas
