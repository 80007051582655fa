// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/operand_arena.h"

#include <algorithm>

#include "perfatlas/backends/operand_fill.h"

namespace perfatlas {
namespace {

constexpr size_t kBlockElements = size_t(1) << 20;
constexpr size_t kGranule = 2u << 20;  // a huge page
constexpr size_t kShift =
    4096;  // elements between the offsets of repeated pieces, whole blocks of every type
constexpr uint64_t kContentSeed = 0x9e3779b97f4a7c15;

/// One generated block, then copies of it from varying offsets, so that no stride of the arena repeats its content.
void fill(Device& device, DType dtype, const OperandArena& arena) {
  const std::vector<std::byte> block = random_elements(dtype, kBlockElements, kContentSeed);
  const size_t first = std::min(block.size(), arena.capacity);
  device.copy_in(arena.memory.get(), block.data(), first);
  SeededNumbers numbers(kContentSeed);
  const auto shift = size_t(kShift * bytes_of(dtype));
  for (size_t done = first; done < arena.capacity;) {
    const size_t from = numbers.next() % (block.size() / 2 / shift) * shift;
    const size_t length = std::min(block.size() - from, arena.capacity - done);
    device.copy(arena.at(done), arena.at(from), length);
    done += length;
  }
  device.synchronize();
}

}  // namespace

OperandArena& OperandStore::arena(ArenaUse use, DType dtype, size_t bytes) {
  OperandArena& arena = arenas_[{use, dtype}];
  if (arena.capacity >= bytes) return arena;
  arena = {};  // first give back, then ask: both together may not fit
  const size_t capacity = (bytes + kGranule - 1) / kGranule * kGranule;
  arena.memory = device_.allocate(capacity);
  arena.capacity = capacity;
  fill(device_, dtype, arena);
  return arena;
}

double OperandStore::bytes() const {
  double total = 0;
  for (const auto& [key, arena] : arenas_) total += double(arena.capacity);
  return total;
}

}  // namespace perfatlas
