// SPDX-License-Identifier: Apache-2.0
// The few device kernels of perfatlas itself. Each function enqueues one kernel and throws CudaError.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "perfatlas/backends/cuda/runtime.h"

namespace perfatlas {

/// Keeps the stream busy until `*released` (host memory mapped to the device) reaches `ticket`, or `timeout_ns` have
/// passed. What is enqueued behind it then starts without waiting for the host.
void launch_hold(const volatile uint32_t* released, uint32_t ticket, uint64_t timeout_ns,
                 cudaStream_t stream);

/// Writes the clock counter of a multiprocessor, the device's timer and which multiprocessor it was.
void launch_stamp(ClockStamp* to, cudaStream_t stream);

/// Does nothing; what remains is the launch itself.
void launch_noop(cudaStream_t stream);

/// Reads `bytes` at `data` once, with 16-byte loads. `sink` is written only if the exclusive or of all words is a
/// value that random data practically never has. REQUIRES: both aligned to 16, bytes a multiple of 16.
void launch_read(const void* data, size_t bytes, void* sink, cudaStream_t stream);

}  // namespace perfatlas
