// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/harness_placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "perfatlas/backends/operand_fill.h"
#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

// Large buffers start on pages as allocators give them; small ones are packed closer, because the streams of a small
// weight would otherwise span many times the cache.
constexpr size_t kPage = 4096;
constexpr size_t kLine = 256;
constexpr size_t kLargeBytes = 64 << 10;
constexpr size_t kStreamSlack = 64u << 20;

/// Also whole blocks of the type, so that every slice of an arena starts with one.
size_t aligned(size_t bytes, DType dtype) {
  const size_t unit = std::lcm(bytes >= kLargeBytes ? kPage : kLine, size_t(block_of(dtype).bytes));
  return std::max(unit, (bytes + unit - 1) / unit * unit);
}

bool is_streamed(const Operand& operand) {
  return (operand.role == OperandRole::weight || operand.role == OperandRole::kv) &&
         operand.dtype != DType::int32;
}

PlacementPlan::Slot slot_of(Operand operand, const PreparedKernel* kernel, size_t index) {
  if (kernel) operand.dtype = kernel->taken_dtype(index).value_or(operand.dtype);
  const size_t packed_bytes = kernel ? kernel->packed_bytes(index) : 0;
  PlacementPlan::Slot slot{.dtype = operand.dtype, .streamed = is_streamed(operand)};
  slot.bytes = packed_bytes > 0 ? packed_bytes : size_t(std::ceil(operand.bytes()));
  slot.declared_content = operand.dtype == DType::int32 || operand.fill == Fill::custom ||
                          (operand.fill == Fill::positive && !slot.streamed && packed_bytes == 0);
  return slot;
}

/// Of a KV cache or a table of experts a launch may touch only a part; only that part is streamed.
double streamed_per_launch(const Case& what, double streamed_operands) {
  const double by_work = what.op->work(what.values).streamed_bytes();
  return by_work > 0 ? std::min(by_work, streamed_operands) : streamed_operands;
}

/// The stream arena of the serving state has room for the least rotation and, so that cases of other sizes need not
/// grow it, for any smaller record.
size_t stream_capacity(const PlacementPlan& plan, size_t record_bytes) {
  const size_t needed = plan.copies * record_bytes;
  return plan.target_bytes > 0 ? std::max(needed, size_t(plan.target_bytes) + kStreamSlack) : needed;
}

}  // namespace

double PlacementPlan::bytes() const {
  double total = 0;
  for (const auto& [dtype, record] : record_bytes) total += double(stream_capacity(*this, record));
  for (const auto& [dtype, bytes] : resident_bytes) total += double(bytes);
  for (const Slot& slot : slots)
    if (slot.declared_content) total += double(slot.bytes);
  return total;
}

PlacementPlan plan_placement(const Case& what, CacheState cache, double llc_bytes,
                             const PreparedKernel* kernel) {
  const Operands operands = what.op->operands(what.values);
  PlacementPlan plan;
  double streamed_operands = 0;
  for (size_t i = 0; i < operands.size(); ++i) {
    PlacementPlan::Slot slot = slot_of(operands[i], kernel, i);
    plan.set_bytes += double(slot.bytes);
    if (slot.streamed) streamed_operands += double(slot.bytes);
    if (!slot.declared_content) {
      size_t& used = slot.streamed ? plan.record_bytes[slot.dtype] : plan.resident_bytes[slot.dtype];
      slot.offset = used;
      used += aligned(slot.bytes, slot.dtype);
    }
    plan.slots.push_back(slot);
  }
  if (streamed_operands == 0) return plan;
  plan.streamed_bytes = streamed_per_launch(what, streamed_operands);
  if (cache != CacheState::serving) return plan;
  if (llc_bytes <= 0)
    throw Error(
        "the serving cache state needs the size of the last-level cache, which this system does not tell; "
        "use --cache hot or cold");
  plan.target_bytes = kStreamOverCache * llc_bytes;
  plan.copies = size_t(std::ceil(plan.target_bytes / plan.streamed_bytes));
  double record = 0;
  for (const auto& [dtype, bytes] : plan.record_bytes) record += double(bytes);
  const double most = kMostStreamFactor * std::max(plan.target_bytes, streamed_operands);
  if (double(plan.copies) * record > most) {
    plan.evict = true;
    // A table that dwarfs the cache (an embedding of a gigabyte) needs no more than one copy to warm up with.
    plan.copies = std::max<size_t>(2, size_t(kMostStreamFactor * plan.target_bytes / record));
  }
  return plan;
}

void* PlacedOperands::Stream::record(size_t index) const {
  return static_cast<char*>(memory.get()) + index % records * record_bytes;
}

PlacedOperands::PlacedOperands(const Case& what, PlacementPlan plan, uint64_t seed, OperandStore& store,
                               PreparedKernel* kernel)
    : plan_(std::move(plan)) {
  size_t fewest_records = SIZE_MAX;
  for (const auto& [dtype, record] : plan_.record_bytes) {
    OperandArena& arena = store.arena(ArenaUse::stream, dtype, stream_capacity(plan_, record));
    streams_[dtype] = {&arena, arena.memory, record, arena.capacity / record};
    fewest_records = std::min(fewest_records, streams_[dtype].records);
  }
  if (plan_.target_bytes > 0) rotation_ = fewest_records;
  const Operands operands = what.op->operands(what.values);
  for (size_t i = 0; i < operands.size(); ++i) {
    const PlacementPlan::Slot& slot = plan_.slots[i];
    std::shared_ptr<void> memory;
    size_t offset = 0;
    if (slot.declared_content) {
      const HostOperand content = as_type(make_host_operand(operands[i], seed), slot.dtype);
      if (kernel != nullptr && is_told(operands[i])) kernel->see_content(i, content);
      const std::vector<std::byte> bytes = operand_bytes_of(content);
      memory = store.device().allocate(std::max<size_t>(bytes.size(), 1));
      store.device().copy_in(memory.get(), bytes.data(), bytes.size());
    } else if (!slot.streamed) {
      memory = store.arena(ArenaUse::resident, slot.dtype, plan_.resident_bytes[slot.dtype]).memory;
      offset = slot.offset;
    }
    fixed_at_.push_back(memory ? static_cast<char*>(memory.get()) + offset : nullptr);
    fixed_.push_back(std::move(memory));
  }
}

size_t PlacedOperands::first_record(const Stream& stream) const {
  return (stream.arena->cursor + stream.record_bytes - 1) / stream.record_bytes % stream.records;
}

std::vector<std::vector<void*>> PlacedOperands::next_sets(size_t count) const {
  std::vector<std::vector<void*>> sets(std::min(count, rotation_), fixed_at_);
  for (const auto& [dtype, stream] : streams_) {
    const size_t first = rotation_ > 1 ? first_record(stream) : 0;
    for (size_t i = 0; i < sets.size(); ++i) {
      char* const record = static_cast<char*>(stream.record(first + i));
      for (size_t operand = 0; operand < plan_.slots.size(); ++operand) {
        const PlacementPlan::Slot& slot = plan_.slots[operand];
        if (slot.streamed && slot.dtype == dtype) sets[i][operand] = record + slot.offset;
      }
    }
  }
  return sets;
}

void PlacedOperands::advance(size_t launches) {
  if (rotation_ <= 1) return;
  for (auto& [dtype, stream] : streams_)
    stream.arena->cursor = (first_record(stream) + launches) % stream.records * stream.record_bytes;
}

}  // namespace perfatlas
