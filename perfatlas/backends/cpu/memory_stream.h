// SPDX-License-Identifier: Apache-2.0
// Plain passes over memory by all OpenMP threads: what evicts caches and what bandwidths are measured with.
#pragma once

#include <cstddef>
#include <cstdint>

namespace perfatlas {

/// Every thread reads its contiguous share `passes` times, in order, in 64-byte loads where the CPU has them: the
/// access pattern of streamed weights. Returns a value that depends on everything read.
/// REQUIRES: `bytes` a multiple of 64, memory aligned to 64.
uint64_t read_all(const void* memory, size_t bytes, int passes = 1);

/// Every thread writes its share: distinct pages, first touched by the thread that will read them.
void write_all(void* memory, size_t bytes);

}  // namespace perfatlas
