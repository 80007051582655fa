// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/schema/symbol.h"

#include <array>
#include <atomic>
#include <bit>
#include <deque>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

/// Append-only, so a text handed out stays valid for the life of the process. Reading takes no lock: texts lie in
/// blocks that double in size and never move.
class Pool {
 public:
  Pool() { append(""); }

  int64_t id_of(std::string_view text) {
    {
      const std::shared_lock lock(mutex_);
      if (const auto found = ids_.find(text); found != ids_.end()) return found->second;
    }
    const std::unique_lock lock(mutex_);
    if (const auto found = ids_.find(text); found != ids_.end()) return found->second;
    return append(text);
  }

  bool knows(int64_t id) const { return id >= 0 && id < size_.load(std::memory_order_acquire); }

  /// REQUIRES: knows(id).
  std::string_view text(int64_t id) const {
    const uint64_t place = uint64_t(id) + kFirstBlock;
    return blocks_[block_of(place)].load(std::memory_order_acquire)[place - std::bit_floor(place)];
  }

 private:
  static constexpr int kFirstBits = 6;
  static constexpr uint64_t kFirstBlock = uint64_t{1} << kFirstBits;  // texts
  static size_t block_of(uint64_t place) { return size_t(std::bit_width(place >> (kFirstBits + 1))); }
  static constexpr size_t kBlocks = 64 - kFirstBits;

  int64_t append(std::string_view text) {
    const int64_t id = size_.load(std::memory_order_relaxed);
    const uint64_t place = uint64_t(id) + kFirstBlock;
    std::atomic<std::string_view*>& block = blocks_[block_of(place)];
    if (block.load(std::memory_order_relaxed) == nullptr)
      block.store(new std::string_view[std::bit_floor(place)], std::memory_order_release);
    const std::string_view kept = texts_.emplace_back(text);
    block.load(std::memory_order_relaxed)[place - std::bit_floor(place)] = kept;
    size_.store(id + 1, std::memory_order_release);
    ids_.emplace(kept, id);
    return id;
  }

  std::shared_mutex mutex_;  // of texts_ and ids_, and of who appends
  std::deque<std::string> texts_;
  std::unordered_map<std::string_view, int64_t> ids_;
  std::array<std::atomic<std::string_view*>, kBlocks> blocks_{};
  std::atomic<int64_t> size_{0};
};

Pool& pool() {
  // Never destroyed: symbols may outlive static destructors. Append-only, so sharing it is harmless.
  static Pool* const instance = new Pool;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
  return *instance;
}

}  // namespace

Symbol::Symbol(std::string_view text) : id_(pool().id_of(text)) {}

Symbol Symbol::from_id(int64_t id) {
  PERFATLAS_ASSERT(pool().knows(id));
  Symbol symbol;
  symbol.id_ = id;
  return symbol;
}

std::string_view Symbol::text() const {
  PERFATLAS_ASSERT(pool().knows(id_));
  return pool().text(id_);
}

}  // namespace perfatlas
