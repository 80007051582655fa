// SPDX-License-Identifier: Apache-2.0
// oneDNN matmuls small enough for one thread, as chunked linear attention needs them by the thousand: of each one copy
// per thread, because a bound primitive serves one caller at a time.
#pragma once

#include <vector>

#include "perfatlas/backends/cpu/onednn_primitive.h"

namespace perfatlas {

/// d[rows, columns] (+)= a[rows, depth] * b[depth, columns]: a and b bf16, d f32, all dense. A transposed operand is
/// stored the other way round: a[depth, rows], b[columns, depth].
struct SmallMatmul {
  int64_t rows = 0, depth = 0, columns = 0;
  bool a_transposed = false, b_transposed = false, accumulate = false;
  bool operator==(const SmallMatmul&) const = default;
};

class SmallMatmuls {
 public:
  /// `context` outlives the object.
  SmallMatmuls(int threads, const OnednnContext& context) : threads_(threads), context_(context) {}

  /// Makes `matmul` available under the number that is returned. Throws Error when oneDNN has no fast implementation
  /// of it on this CPU.
  int add(const SmallMatmul& matmul);

  /// The largest scratchpad of any of them.
  size_t scratchpad_bytes() const { return scratchpad_bytes_; }

  struct Pointers {
    const void* a;
    const void* b;
    float* d;
    void* scratchpad;
  };
  /// Runs on the calling thread. REQUIRES: `number` came from add; called inside a parallel region by `thread`.
  void run(int number, int thread, const Pointers& pointers);

 private:
  int threads_;
  const OnednnContext& context_;
  std::vector<SmallMatmul> known_;
  std::vector<std::vector<OnednnPrimitive>> primitives_;  // [number][thread]
  size_t scratchpad_bytes_ = 0;
};

}  // namespace perfatlas
