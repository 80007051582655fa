// SPDX-License-Identifier: Apache-2.0
// Selecting the largest of every row, as the compiled units of kernel libraries offer it.
#pragma once

#include <cstdint>

#include "perfatlas/backends/device.h"

namespace perfatlas {

/// Device memory of one launch.
struct TopKRows {
  int64_t rows = 0, columns = 0, topk = 0;
  void* values = nullptr;      // [rows, columns]
  int32_t* index = nullptr;    // [rows, topk], written; -1 behind the last
  void* kept = nullptr;        // [rows, topk], written; not for ragged rows
  int32_t* lengths = nullptr;  // ragged rows only: values that count ...
  int32_t* offsets = nullptr;  // ... and what is added to each index
};

/// FlashInfer keeps at most this many.
inline constexpr int64_t kMostFlashInferTopK = 2048;

/// Whether a part has the 128 KiB of shared memory that the selection with a rule for equal values takes (CUDA C++
/// Programming Guide, "Technical specifications per compute capability"): 8.6, 8.9 and 12.x have 100.
inline bool has_shared_memory_for_top_k(int sm) { return sm == 80 || sm == 87 || (sm >= 90 && sm < 120); }

/// Enqueues it. Throws Error. REQUIRES: topk <= kMostFlashInferTopK, topk < columns.
using LaunchTopK = void(const TopKRows& rows, Stream stream);

}  // namespace perfatlas
