// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

namespace perfatlas {

/// Where something lies in memory that another process can map: a descriptor of the owner, and bytes from its start.
struct SharedPlace {
  uint64_t fd = 0;
  uint64_t offset = 0;
  bool operator==(const SharedPlace&) const = default;
};

/// Blocks of memory that other processes of the same user can map. Blocks may outlive it.
class SharedMemory {
 public:
  /// At least `bytes` bytes of zeros. Throws OutOfMemory.
  std::shared_ptr<void> allocate(size_t bytes);
  /// REQUIRES: `address` is inside a block that still lives.
  SharedPlace place_of(const void* address) const;

 private:
  struct Block {
    int fd;
    size_t bytes;
  };
  using Blocks = std::map<uintptr_t, Block>;  // by first address
  std::shared_ptr<Blocks> blocks_ = std::make_shared<Blocks>();
};

/// `bytes` bytes at `place` of process `owner`, while it lives. Throws Error.
std::shared_ptr<void> map_shared(int owner, SharedPlace place, size_t bytes);

/// At least `bytes` bytes of zeros, on huge pages where the system grants them, placed by whoever writes them first.
/// Throws OutOfMemory, also when the system would grant the address range but has not the memory.
std::shared_ptr<void> allocate_pages(size_t bytes);

}  // namespace perfatlas
