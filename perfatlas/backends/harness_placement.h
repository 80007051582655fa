// SPDX-License-Identifier: Apache-2.0
// Where the operands of one case lie in memory, and which copies of them each launch uses.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "perfatlas/backends/kernel.h"
#include "perfatlas/backends/operand_arena.h"

namespace perfatlas {

/// In the serving state the bytes streamed between two uses of the same buffer exceed the last-level cache by this
/// factor: least-recently-used replacement then keeps none of them.
inline constexpr double kStreamOverCache = 1.25;

/// Copies together take at most this many times the bytes that must be streamed; beyond, caches are evicted instead.
inline constexpr double kMostStreamFactor = 4;

/// What a case asks of memory, before anything is allocated.
///   weight, kv          slices of the stream arenas. serving: as many copies as exceed the last-level cache. hot and
///                       cold: one copy.
///   activation, output  one buffer each: a serving step finds activations where the previous op left them. An op
///                       without weights and KV cache streams nothing.
struct PlacementPlan {
  struct Slot {
    DType dtype = DType::f32;  // as the kernel takes it
    size_t bytes = 0;          // in the kernel's layout and type
    size_t offset = 0;         // within one record of its stream, or within the resident arena
    bool streamed = false;
    bool declared_content = false;  // index operands and factors: own memory, content as declared
  };
  std::vector<Slot> slots;  // in operand order
  /// The streamed operands of one type lie side by side in one record; a copy is one record of every type.
  std::map<DType, size_t> record_bytes;
  std::map<DType, size_t> resident_bytes;
  double set_bytes = 0;       // all operands of one launch
  double streamed_bytes = 0;  // streamed operands that one launch reads or writes
  size_t copies = 1;          // least number of copies to be rotated
  double target_bytes = 0;    // what copies * streamed_bytes must reach; 0: nothing is rotated
  /// A launch touches so little of its streamed operands (a KV cache of nearly empty pages) that enough copies would
  /// take kMostStreamFactor times the target: fewer copies rotate and every repetition starts from evicted caches.
  bool evict = false;

  double bytes() const;
};

/// `kernel` gives packed sizes; null: declared sizes. Throws Error in the serving state when `llc_bytes` is 0
/// (unknown) and something must be streamed.
PlacementPlan plan_placement(const Case& what, CacheState cache, double llc_bytes,
                             const PreparedKernel* kernel);

class PlacedOperands {
 public:
  /// Tells `kernel`, unless it is null, the contents that it may see. Throws OutOfMemory. REQUIRES: no other
  /// PlacedOperands of `store` is in use.
  PlacedOperands(const Case& what, PlacementPlan plan, uint64_t seed, OperandStore& store,
                 PreparedKernel* kernel);

  const PlacementPlan& plan() const { return plan_; }

  /// Different sets before one is used again: at least plan().copies when streams rotate, else 1.
  size_t rotation() const { return rotation_; }

  /// Pointers of the next launches, min(count, rotation()) sets, each in operand order.
  std::vector<std::vector<void*>> next_sets(size_t count) const;

  /// Tells that `launches` launches have used the next sets.
  void advance(size_t launches);

 private:
  struct Stream {
    OperandArena* arena;
    std::shared_ptr<void> memory;
    size_t record_bytes;
    size_t records;  // that fit into the arena

    void* record(size_t index) const;
  };
  size_t first_record(const Stream& stream) const;

  PlacementPlan plan_;
  std::map<DType, Stream> streams_;
  std::vector<std::shared_ptr<void>> fixed_;  // per operand; null for streamed ones
  std::vector<void*> fixed_at_;
  size_t rotation_ = 1;
};

}  // namespace perfatlas
