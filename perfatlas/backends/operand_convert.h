// SPDX-License-Identifier: Apache-2.0
// Element types in memory: from floats to bytes and back.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "perfatlas/schema/dtype.h"

namespace perfatlas {

/// Whether values of `dtype` can be written and read one by one here (fp4 is not).
bool convertible(DType dtype);

/// `values` as elements of `dtype`: rounded to nearest, ties to even; integers and fp8 saturate, f16 and bf16
/// overflow to infinity. int4: two per byte, the first one in the low bits. Block types: see operand_blocks.h. REQUIRES: convertible(dtype), whole blocks.
std::vector<std::byte> encode_elements(DType dtype, std::span<const float> values);

/// The values of stored elements. REQUIRES: convertible(dtype), bytes.size() a multiple of the element or block size.
std::vector<float> decode_elements(DType dtype, std::span<const std::byte> bytes);

}  // namespace perfatlas
