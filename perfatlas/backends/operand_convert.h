// SPDX-License-Identifier: Apache-2.0
// Element types in memory: from floats to bytes and back.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "perfatlas/schema/dtype.h"

namespace perfatlas {

/// `values` as elements of `dtype`: rounded to nearest, ties to even; integers, fp8 and fp4 (e2m1) saturate, f16 and
/// bf16 overflow to infinity. int4 and fp4: two per byte, the first one in the low bits. Block types: see
/// operand_blocks.h. REQUIRES: not int32, whole bytes, whole blocks.
std::vector<std::byte> encode_elements(DType dtype, std::span<const float> values);

/// The values of stored elements. REQUIRES: not int32, bytes.size() a multiple of the element or block size.
std::vector<float> decode_elements(DType dtype, std::span<const std::byte> bytes);

}  // namespace perfatlas
