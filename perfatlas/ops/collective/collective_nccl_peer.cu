// SPDX-License-Identifier: Apache-2.0
// Sums over the ranks of a group by kernels that read each other's memory, as serving frameworks have them for small
// messages: one shot (every rank sums everything) and two shots (every rank sums its part, then all are gathered).
// Plain, not tuned: element by element, no multicast.
#include <algorithm>
#include <cuda/atomic>
#include <thread>

#include "perfatlas/backends/cuda/block_kernel.cuh"
#include "perfatlas/backends/cuda/cuda_element.cuh"
#include "perfatlas/backends/nccl/peer_memory.h"
#include "perfatlas/ops/collective/collective_nccl.h"

namespace perfatlas {
namespace {

constexpr int kMostRanks = 8;
/// Block i of a rank waits for block i of every other, so all must be able to run at once: fewer than any part that
/// has peer memory has multiprocessors.
constexpr int64_t kMostPeerBlocks = 32;
constexpr int64_t kElementsPerBlock = int64_t(Block::kThreads) * 8;

/// What the ranks share, in this order, in the buffer of each: a signal per waiting rank and block, the blocks' count
/// of meetings, and the stages.
struct Shared {
  static constexpr int64_t kSignals = kMostPeerBlocks * kMostRanks;
  static constexpr int64_t kStageOffset = 4096;  // signals and counts before it
  static_assert((kSignals + kMostPeerBlocks) * sizeof(uint32_t) <= kStageOffset);

  char* of_rank[kMostRanks] = {};
  int rank = 0, ranks = 1;

  PERFATLAS_BOTH uint32_t* signal(int owner, int64_t block, int from) const {
    return reinterpret_cast<uint32_t*>(of_rank[owner]) + block * kMostRanks + from;
  }
  PERFATLAS_BOTH uint32_t* meetings(int64_t block) const {
    return reinterpret_cast<uint32_t*>(of_rank[rank]) + kSignals + block;
  }
  PERFATLAS_BOTH char* stage(int owner) const { return of_rank[owner] + kStageOffset; }

  /// Returns when the blocks of this number of all ranks have come for the `count`th time; what they wrote before is
  /// seen behind it.
  PERFATLAS_BOTH void meet(const Block& block, uint32_t count) const {
    using Signal = cuda::atomic_ref<uint32_t, cuda::thread_scope_system>;
    block.each(ranks, [&](int64_t peer) {
      Signal(*signal(int(peer), block.index(), rank)).store(count, cuda::memory_order_release);
    });
    block.each(ranks, [&](int64_t peer) {
      const Signal from(*signal(rank, block.index(), int(peer)));
      // Counts only grow; the difference survives their wrapping.
      while (int32_t(from.load(cuda::memory_order_acquire) - count) < 0) {
#ifndef __CUDA_ARCH__
        std::this_thread::yield();
#endif
      }
    });
  }
};

/// The part [begin, end) of `count` that block `block` of `blocks` takes.
struct Part {
  int64_t begin, end;
  PERFATLAS_BOTH Part(int64_t count, int64_t block, int64_t blocks)
      : begin(count * block / blocks), end(count * (block + 1) / blocks) {}
};

int64_t peer_blocks(int64_t elements) {
  return std::clamp<int64_t>(elements / kElementsPerBlock, 1, kMostPeerBlocks);
}

template <class T>
PERFATLAS_BOTH T sum_at(const Shared& shared, int64_t offset_bytes, int64_t i) {
  float sum = 0;
  for (int peer = 0; peer < shared.ranks; ++peer)
    sum += to_float(reinterpret_cast<const T*>(shared.stage(peer) + offset_bytes)[i]);
  return from_float<T>(sum);
}
/// Wraps, as NCCL's sum does.
template <>
PERFATLAS_BOTH int8_t sum_at<int8_t>(const Shared& shared, int64_t offset_bytes, int64_t i) {
  uint8_t sum = 0;
  for (int peer = 0; peer < shared.ranks; ++peer)
    sum = uint8_t(sum + uint8_t((shared.stage(peer) + offset_bytes)[i]));
  return int8_t(sum);
}

/// A message and where it is summed: two stages of memory that all ranks see.
template <class T>
struct PeerMessage {
  Shared shared;
  int64_t elements = 0;
  int64_t all_blocks = 1;  // blocks()
  const T* send = nullptr;
  T* recv = nullptr;

  static int64_t stage_bytes(int64_t elements) { return 2 * elements * int64_t(sizeof(T)); }
  int64_t blocks() const { return peer_blocks(elements); }
  int64_t shared_floats() const { return 0; }
  void bind(std::span<void* const> operands, void*) {
    send = static_cast<const T*>(operands[0]);
    recv = static_cast<T*>(operands[1]);
  }
};

/// Two stages are used in turn, so that a rank may write its next message while another still reads this one: it
/// cannot be two messages ahead, because it meets all ranks once per message.
template <class T>
struct OneShot : PeerMessage<T> {
  using PeerMessage<T>::shared, PeerMessage<T>::elements, PeerMessage<T>::all_blocks, PeerMessage<T>::send,
      PeerMessage<T>::recv;

  PERFATLAS_BOTH void operator()(Block& block) const {
    const Part part(elements, block.index(), all_blocks);
    uint32_t* const meetings = shared.meetings(block.index());
    const uint32_t count = *meetings + 1;
    const int64_t offset = int64_t(count % 2) * elements * int64_t(sizeof(T));
    T* const own = reinterpret_cast<T*>(shared.stage(shared.rank) + offset);
    block.each(part.end - part.begin, [&](int64_t i) { own[part.begin + i] = send[part.begin + i]; });
    shared.meet(block, count);
    block.each(part.end - part.begin,
               [&](int64_t i) { recv[part.begin + i] = sum_at<T>(shared, offset, part.begin + i); });
    block.each(1, [&](int64_t) { *meetings = count; });
  }
};

/// The first stage holds what is sent, the second the sums of this rank's part. All ranks meet before the sums, and
/// before they are gathered; the first meeting of the next message lies behind every gather of this one.
template <class T>
struct TwoShot : PeerMessage<T> {
  using PeerMessage<T>::shared, PeerMessage<T>::elements, PeerMessage<T>::all_blocks, PeerMessage<T>::send,
      PeerMessage<T>::recv;

  /// What block `block` of rank `rank` sums.
  PERFATLAS_BOTH Part part_of(int rank, int64_t block) const {
    const Part slice(elements, rank, shared.ranks);
    Part part(slice.end - slice.begin, block, all_blocks);
    part.begin += slice.begin;
    part.end += slice.begin;
    return part;
  }

  PERFATLAS_BOTH void operator()(Block& block) const {
    uint32_t* const meetings = shared.meetings(block.index());
    const uint32_t count = *meetings + 2;
    const int64_t sums = elements * int64_t(sizeof(T));
    T* const own = reinterpret_cast<T*>(shared.stage(shared.rank));
    for (int peer = 0; peer < shared.ranks; ++peer) {
      const Part part = part_of(peer, block.index());
      block.each(part.end - part.begin, [&](int64_t i) { own[part.begin + i] = send[part.begin + i]; });
    }
    shared.meet(block, count - 1);
    T* const own_sums = reinterpret_cast<T*>(shared.stage(shared.rank) + sums);
    const Part mine = part_of(shared.rank, block.index());
    block.each(mine.end - mine.begin,
               [&](int64_t i) { own_sums[mine.begin + i] = sum_at<T>(shared, 0, mine.begin + i); });
    shared.meet(block, count);
    for (int peer = 0; peer < shared.ranks; ++peer) {
      const Part part = part_of(peer, block.index());
      const T* const from = reinterpret_cast<const T*>(shared.stage(peer) + sums);
      block.each(part.end - part.begin, [&](int64_t i) { recv[part.begin + i] = from[part.begin + i]; });
    }
    block.each(1, [&](int64_t) { *meetings = count; });
  }
};

template <class Body>
class PeerAllReduce final : public GroupKernel {
 public:
  /// In a front (no rank) nothing is allocated.
  PeerAllReduce(const CustomAllReduce& op, GroupCall call, const NcclRank& rank)
      : call_(std::move(call)), rank_(rank) {
    body_.elements = op.elements;
    body_.all_blocks = body_.blocks();
    if (rank.device == nullptr) return;
    memory_ =
        std::make_unique<PeerMemory>(rank, size_t(Shared::kStageOffset + Body::stage_bytes(op.elements)));
    body_.shared.rank = rank.rank;
    body_.shared.ranks = rank.ranks;
    for (size_t i = 0; i < memory_->buffers().size(); ++i)
      body_.shared.of_rank[i] = static_cast<char*>(memory_->buffers()[i]);
  }

  GroupCall call() const override { return call_; }
  void launch(Stream stream, std::span<void* const> operands, void* workspace) override {
    body_.bind(operands, workspace);
    rank_.device->runtime().run(block_work(body_), stream);
  }

 private:
  GroupCall call_;
  NcclRank rank_;
  std::unique_ptr<PeerMemory> memory_;
  Body body_;
};

std::string why_unsupported(const CustomAllReduce& op, const NcclDevice& device) {
  if (op.ranks > kMostRanks) return fmt::format("peer memory is used by at most {} ranks", kMostRanks);
  if (op.elements > kMostPeerElements)
    return fmt::format("messages have at most {} elements", kMostPeerElements);
  return why_no_ranks(op.ranks, device);
}

template <template <class> class Body>
void add(KernelRegistry& registry) {
  static constexpr bool kOne = std::is_same_v<Body<float>, OneShot<float>>;
  static constexpr std::string_view kName = kOne ? "reference_one_shot" : "reference_two_shot";
  registry.add(Kernel<CustomAllReduce, NcclDevice>{
      kName, "nccl", &why_unsupported,
      [](const CustomAllReduce& op, NcclDevice& device) -> std::unique_ptr<PreparedKernel> {
        return with_element(dtype_of(op.dtype), [&](auto element) -> std::unique_ptr<PreparedKernel> {
          return std::make_unique<PeerAllReduce<Body<decltype(element)>>>(op, group_call(op, kName),
                                                                          device.rank());
        });
      }});
}

}  // namespace

void add_peer_all_reduce(KernelRegistry& registry) {
  add<TwoShot>(registry);
  add<OneShot>(registry);
}

}  // namespace perfatlas
