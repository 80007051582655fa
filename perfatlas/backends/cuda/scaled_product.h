// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace perfatlas {

/// An integer product and the scales of its operands, all in device memory.
struct ScaledProduct {
  const int32_t* from = nullptr;  // row-major, `columns` wide
  void* to = nullptr;             // bfloat16, of the same shape
  size_t count = 0;               // elements
  size_t columns = 1;
  const float* common_scale = nullptr;   // one
  const float* column_scales = nullptr;  // `columns` of them
};

}  // namespace perfatlas
