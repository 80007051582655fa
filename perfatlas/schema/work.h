// SPDX-License-Identifier: Apache-2.0
// The least an op must do, from which its speed of light follows (hw/sol.h).
#pragma once

#include "perfatlas/schema/dtype.h"

namespace perfatlas {

/// Lower bound on the arithmetic and traffic of one launch. Bytes are split by where a serving step finds them:
/// weights and KV cache come from memory, activations from the last-level cache.
struct Work {
  double flops = 0;  // one multiply-add counts two
  double weight_bytes_read = 0;
  double kv_bytes_read = 0;
  double activation_bytes_read = 0;  // inputs, block tables
  double kv_bytes_written = 0;
  double bytes_written = 0;  // outputs other than KV cache
  DType math = DType::f32;   // type whose peak bounds `flops`

  constexpr double streamed_bytes() const { return weight_bytes_read + kv_bytes_read + kv_bytes_written; }
  constexpr double activation_bytes() const { return activation_bytes_read + bytes_written; }
  constexpr double bytes() const { return streamed_bytes() + activation_bytes(); }
};

}  // namespace perfatlas
