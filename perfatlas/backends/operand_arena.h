// SPDX-License-Identifier: Apache-2.0
// Device memory of operands, kept from case to case so that preparing a case costs almost nothing.
#pragma once

#include <map>
#include <memory>

#include "perfatlas/backends/device.h"
#include "perfatlas/schema/dtype.h"

namespace perfatlas {

/// One block of device memory filled with seeded elements of one type (random_elements(), repeated at varying
/// offsets). Kernels may write into it: what they write are values of the same type.
struct OperandArena {
  std::shared_ptr<void> memory;
  size_t capacity = 0;  // bytes
  /// Where the next streamed slice starts. It moves on from case to case, so that a slice is used again only after
  /// the rest of the arena has been.
  size_t cursor = 0;

  void* at(size_t offset) const { return static_cast<char*>(memory.get()) + offset; }
};

/// What an arena is for: `resident` buffers are the same in every launch, `stream` slices are rotated.
enum class ArenaUse { resident, stream };

class OperandStore {
 public:
  /// `device` outlives the store.
  explicit OperandStore(Device& device) : device_(device) {}

  /// The arena of a type, grown (and then filled anew) to at least `bytes`. The reference stays valid; the memory of
  /// an outgrown arena lives as long as somebody holds it. Throws OutOfMemory.
  OperandArena& arena(ArenaUse use, DType dtype, size_t bytes);

  Device& device() { return device_; }
  double bytes() const;
  /// Gives all memory back, except what somebody still holds.
  void release() { arenas_.clear(); }

 private:
  Device& device_;
  std::map<std::pair<ArenaUse, DType>, OperandArena> arenas_;
};

}  // namespace perfatlas
