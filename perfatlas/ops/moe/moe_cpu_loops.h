// SPDX-License-Identifier: Apache-2.0
// What happens to rows of tokens between the products, one row at a time, on the calling thread.
#pragma once

#include "perfatlas/backends/cpu/cpu_isa.h"
#include "perfatlas/backends/cpu/stored_element.h"
#include "perfatlas/ops/moe/moe_cpu_rows.h"

namespace perfatlas {

/// Middle: element type of what the activation leaves. T: of tokens and results.
template <class T, class Middle>
struct ExpertLoops {
  /// Elements of T as floats.
  void (*widen)(const T* from, int64_t count, float* to);
  /// middle = silu(scale*gate) * scale*up; without gate relu(scale*up)^2.
  void (*activate)(const float* gate, const float* up, int64_t count, float scale, Middle* middle);
  /// To 8-bit integers of the returned scale: the largest magnitude / 127 (1 for a row of zeros).
  float (*quantise_token)(const T* from, int64_t count, int8_t* to);
  float (*quantise_middle)(const Middle* from, int64_t count, int8_t* to);
  /// out[i] = sum over choices with a row of weight * (row_scale ? row_scale[row] : 1) * results[row * stride + i].
  void (*combine)(std::span<const ExpertRows::Choice> choices, const T* results, const float* row_scale,
                  int64_t stride, int64_t count, T* out);
};

/// The fastest that `isa` executes. Instantiated for tokens of float and Bf16, Middle of the same or float.
template <class T, class Middle>
ExpertLoops<T, Middle> expert_loops(const CpuIsa& isa);

}  // namespace perfatlas
