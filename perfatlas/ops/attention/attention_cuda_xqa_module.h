// SPDX-License-Identifier: Apache-2.0
// What a module of FlashInfer's XQA decode offers to the worker that opens it. Its sources ask the CUDA runtime for
// sizes while they are loaded, and take theirs from macros of the global namespace: so every group size and type is a
// shared object of its own, opened when the device has been chosen.
#pragma once

#include <cstddef>
#include <cstdint>

/// Both ends are compiled from this header; a module of another interface or another FlashInfer is refused.
#define PERFATLAS_XQA_INTERFACE "1"

namespace perfatlas {

/// One launch over sequences of equal length; device memory. Caches are [pages, kv_heads, 64, head_dim].
struct XqaLaunch {
  const void* q = nullptr;  // [batch, heads, head_dim]
  void* k_cache = nullptr;
  void* v_cache = nullptr;
  void* out = nullptr;                  // as q
  const int32_t* page_table = nullptr;  // [batch, pages_per_sequence]
  const uint32_t* tokens = nullptr;     // [batch]: keys of each sequence
  uint32_t* semaphores =
      nullptr;              // [batch * kv_heads], zero before the first launch; every launch leaves zeros
  void* scratch = nullptr;  // kXqaScratchBytes
  uint32_t batch = 0, kv_heads = 0, pages_per_sequence = 0;
  float query_scale = 1;  // scores are divided by the square root of head_dim and multiplied by this
  void* stream = nullptr;
};

/// Partial results of split sequences: at most one piece per multiprocessor, each below 64 KiB (32 rows of 256 elements
/// of two bytes and their sums take 16.5), on parts of up to 256 multiprocessors.
inline constexpr size_t kXqaScratchBytes = size_t(16) << 20;

/// "perfatlas_xqa_version": the interface and the release of FlashInfer, "1/0.7.2".
using XqaVersion = const char*();
/// "perfatlas_xqa_launch": a cudaError_t; what the library throws is cudaErrorUnknown.
using XqaEnqueue = int(const XqaLaunch& launch);

}  // namespace perfatlas
