// SPDX-License-Identifier: Apache-2.0
// Narrow weights in the order in which oneDNN's bf16 product wants them, and from there to bf16.
#pragma once

#include <cstddef>
#include <cstdint>

#include "perfatlas/backends/cpu/stored_element.h"
#include "perfatlas/schema/dtype.h"

namespace perfatlas {

/// oneDNN's BA16a64b2a: panels of 64 weight rows; in a panel, slabs of 32 elements of the depth; in a slab, 16 lines of
/// 64 pairs (element 2i and 2i+1 of the slab, row by row). Rows and depth are padded to whole panels and slabs.
inline constexpr int64_t kPanelRows = 64, kSlabDepth = 32;
inline constexpr int64_t kSlabElements = kPanelRows * kSlabDepth;

struct PanelShape {
  int64_t rows, depth;  // of W: n and k

  int64_t panels() const { return (rows + kPanelRows - 1) / kPanelRows; }
  int64_t slabs() const { return (depth + kSlabDepth - 1) / kSlabDepth; }
  int64_t panel_elements() const { return slabs() * kSlabElements; }
  int64_t elements() const { return panels() * panel_elements(); }
};

/// Writes w[rows, depth] (int8, fp8: one byte each; int4: two per byte, low bits first) in that order and type.
void pack_codes(const PanelShape& shape, DType type, const void* w, void* packed);

/// Writes `slabs` slabs of one panel as bf16 times the scale of each row. `scales`: 64 of them.
/// REQUIRES: a CPU with AVX-512 and its bf16 instructions; `out` aligned to 64.
using DequantSlabs = void (*)(const std::byte* codes, const float* scales, int64_t slabs, Bf16* out);

/// For int8, int4 and fp8_e4m3.
DequantSlabs dequant_function(DType type);

}  // namespace perfatlas
