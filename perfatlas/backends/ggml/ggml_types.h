// SPDX-License-Identifier: Apache-2.0
// Element types of ggml and ours.
#pragma once

#include <ggml.h>

#include <optional>

#include "perfatlas/schema/dtype.h"

namespace perfatlas {

/// ggml's name of an element type, or nothing when it has none (fp8, tf32, plain 4-bit).
std::optional<ggml_type> ggml_type_of(DType dtype);

/// REQUIRES: a type that ggml_type_of() returns.
DType dtype_of(ggml_type type);

/// The type in which ggml keeps weights of a quantisation mode; activations and results are float32. Nothing for modes
/// that llama.cpp does not have.
std::optional<ggml_type> ggml_weight_type(Quant quant);

}  // namespace perfatlas
