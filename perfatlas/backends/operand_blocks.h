// SPDX-License-Identifier: Apache-2.0
// The block types of ggml in memory. Layouts: the block_* structs and dequantize_row_* functions of ggml
// (ggml-common.h, ggml-quants.c); a test compares the two. f16 numbers and all fields are little-endian and unaligned.
//
//   q8_0  f16 d, 32 x int8 q                       value = d q
//   q4_0  f16 d, 16 bytes                          value = d (q - 8); byte i holds elements i (low) and i + 16
//   q4_K  f16 d, f16 e, 12 bytes, 128 bytes        value = d s q - e m; 8 groups of 32, 6-bit s and m per group
//   q6_K  128 + 64 bytes, 16 x int8 s, f16 d       value = d s (q - 32); 16 groups of 16; low 4, then high 2 bits of q
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "perfatlas/schema/dtype.h"

namespace perfatlas {

/// `values` as blocks: the scale of each group follows from its largest magnitude (q4_K: from its range), elements are
/// rounded to nearest. Quicker and slightly coarser than the searches of ggml's own quantisers.
/// REQUIRES: is_block_type(dtype), whole blocks, finite values.
std::vector<std::byte> encode_blocks(DType dtype, std::span<const float> values);

/// REQUIRES: is_block_type(dtype), whole blocks.
std::vector<float> decode_blocks(DType dtype, std::span<const std::byte> bytes);

}  // namespace perfatlas
