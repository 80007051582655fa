// SPDX-License-Identifier: Apache-2.0
// The oneDNN matmuls of blocked attention: one per combination of block sizes that a case needs, and of each one copy
// per thread, because a bound primitive serves one caller at a time.
#pragma once

#include <atomic>
#include <map>
#include <vector>

#include "perfatlas/backends/cpu/onednn_primitive.h"

namespace perfatlas {

/// d[rows, columns] (+)= a[rows, depth] * w[depth, columns]: a and d dense, w packed (attention_cpu_pack.h), d float.
struct MatmulSize {
  int64_t rows = 0, depth = 0, columns = 0;
  bool accumulate = false;
  auto operator<=>(const MatmulSize&) const = default;
};

class AttentionMatmuls {
 public:
  /// `type`: f32 or bf16, of a and w. `context` outlives the object.
  AttentionMatmuls(DType type, int threads, const OnednnContext& context);

  /// Makes `size` available. Throws Error when oneDNN has no fast implementation of it on this CPU.
  void add(const MatmulSize& size);

  /// The largest scratchpad of any of them.
  size_t scratchpad_bytes() const { return scratchpad_bytes_; }

  struct Pointers {
    const void* a;
    const void* w;
    float* d;
    void* scratchpad;
  };
  /// Runs on the calling thread. When oneDNN refuses, the result is undefined and throw_if_refused() tells.
  /// REQUIRES: add(size) was called; called inside a parallel region by thread `thread`.
  void run(const MatmulSize& size, int thread, const Pointers& pointers) noexcept;

  /// After the parallel region: throws Error when oneDNN refused a run.
  void throw_if_refused() { throw_onednn_refusal(refusal_.exchange(dnnl_success)); }

 private:
  DType type_;
  int threads_;
  const OnednnContext& context_;
  std::map<MatmulSize, std::vector<OnednnPrimitive>> primitives_;
  size_t scratchpad_bytes_ = 0;
  std::atomic<dnnl_status_t> refusal_ = dnnl_success;
};

}  // namespace perfatlas
