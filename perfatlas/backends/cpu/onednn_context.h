// SPDX-License-Identifier: Apache-2.0
// The one place that knows how oneDNN is set up: engine, stream, element types, versions.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

#include <optional>
#include <string>

#include "perfatlas/schema/dtype.h"

namespace perfatlas {

/// One engine and one in-order stream per device; primitives run on the OpenMP threads of the caller.
struct OnednnContext {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
};

/// "3.2.0": the library that is loaded, not the headers.
std::string onednn_version();

/// oneDNN's name of an element type, or nothing when this release has none (fp8, 4-bit).
std::optional<dnnl::memory::data_type> onednn_type(DType dtype);

/// Why `description` must not be timed, or empty: it fell back to the naive reference implementation, which says
/// nothing about the library.
std::string onednn_fallback_reason(const dnnl::primitive_desc_base& description);

}  // namespace perfatlas
