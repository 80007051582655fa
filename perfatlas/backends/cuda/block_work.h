// SPDX-License-Identifier: Apache-2.0
// Device work of perfatlas's own kernels, with its types erased.
#pragma once

#include <cstddef>
#include <memory>

#include "perfatlas/backends/device.h"

namespace perfatlas {

/// A kernel with its arguments, made by block_work() of block_kernel.cuh. The same code runs on the device and, block
/// after block, on the host: there it is tested without a GPU, over memory that both can see.
struct BlockWork {
  std::shared_ptr<const void> body;                       // the arguments
  void (*on_device)(const void* body, Stream) = nullptr;  // enqueues; throws CudaError
  void (*on_host)(const void* body) = nullptr;            // runs to its end
};

}  // namespace perfatlas
