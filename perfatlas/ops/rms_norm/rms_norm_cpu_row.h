// SPDX-License-Identifier: Apache-2.0
// RMS normalisation of one row, with or without a residual: the row stays in the first-level cache between the sum and
// the norm.
#pragma once

#include <cstdint>

#include "perfatlas/backends/cpu/avx512.h"

namespace perfatlas {

struct NormRow {
  const void* x;
  void* residual;  // with `add`: updated to residual + x, which is then normalised; else unused
  const void* w;
  void* out;
  int64_t hidden;
  float epsilon;
};

using NormRowFunction = void (*)(const NormRow&);

/// T: float or Bf16 (backends/cpu/stored_element.h). REQUIRES: a CPU with AVX-512 and its bf16 instructions.
template <class T, bool add>
PERFATLAS_AVX512 void norm_row_avx512(const NormRow& row);

/// The same in plain C++.
template <class T, bool add>
void norm_row_portable(const NormRow& row);

}  // namespace perfatlas
