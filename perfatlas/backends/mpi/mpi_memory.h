// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>

namespace perfatlas {

/// At least `bytes` bytes of zeros, on huge pages where the system grants them, placed by whoever writes them first.
/// Throws OutOfMemory, also when the system would grant the address range but has not the memory.
std::shared_ptr<void> allocate_pages(size_t bytes);

}  // namespace perfatlas
