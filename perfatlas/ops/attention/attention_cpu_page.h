// SPDX-License-Identifier: Apache-2.0
// Decode attention against one page in AVX-512 vectors.
#pragma once

#include "perfatlas/ops/attention/attention_cpu_page_step.h"

namespace perfatlas {

/// A way to compute pages (attention_cpu_page_step.h). REQUIRES: AVX-512 (with bf16 for Bf16); head_dim up to 256.
template <class T>
class Avx512Pages {
 public:
  using Element = T;
  struct Session {};

  explicit Avx512Pages(const PageShape& shape) : shape_(shape) {}

  size_t sum_floats() const { return size_t(shape_.heads * sum_stride(shape_)); }
  /// The queries, then scores and weights [heads, 64].
  size_t scratch_bytes() const {
    return query_bytes() + size_t(shape_.heads * kPageTokens) * (sizeof(float) + sizeof(T));
  }
  void begin(const T* q, std::byte* scratch) const {
    std::memcpy(scratch, q, size_t(shape_.heads * shape_.head_dim) * sizeof(T));
  }
  void add_page(const PageStep<T>& step, const RunningSums& running, std::byte* scratch) const;
  void scale(float* sums, int64_t head, float factor) const {
    scale_floats(sums + head * sum_stride(shape_), sum_stride(shape_), factor);
  }
  void store(const float* sums, int64_t head, float factor, T* out) const;

  /// Elements of one row of sums. Its column order is private to the source file.
  static int64_t sum_stride(const PageShape& shape) { return (shape.head_dim + 31) / 32 * 32; }

 private:
  size_t query_bytes() const { return (size_t(shape_.heads * shape_.head_dim) * sizeof(T) + 63) / 64 * 64; }

  PageShape shape_;
};

}  // namespace perfatlas
