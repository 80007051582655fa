// SPDX-License-Identifier: Apache-2.0
// NCCL's collectives, with the algorithm, protocol and channels that NCCL chooses.
#include "perfatlas/ops/collective/collective_nccl.h"

#include <fmt/format.h>

#include "perfatlas/backends/nccl/nccl_device.h"
#include "perfatlas/ops/collective/collective.h"

namespace perfatlas {
namespace {

ncclDataType_t nccl_type(MessageType type) {
  switch (type) {
    case MessageType::half:
      return ncclFloat16;
    case MessageType::bf16:
      return ncclBfloat16;
    case MessageType::int8:
      return ncclInt8;
    case MessageType::f32:
      return ncclFloat32;
  }
  return ncclFloat32;
}

/// What every rank does with its rows.
class NcclCall : public GroupKernel {
 public:
  NcclCall(MessageType type, GroupCall call, const NcclRank& rank)
      : rank_(rank),
        type_(nccl_type(type)),
        element_bytes_(size_t(bytes_of(dtype_of(type)))),
        call_(std::move(call)) {}
  GroupCall call() const override { return call_; }

 protected:
  const NcclApi& api() const { return rank_.nccl->api(); }
  void check(ncclResult_t result, const char* call) const { rank_.nccl->check(result, call); }
  struct Exchange {
    const void* send;
    int to;  // rank
    void* recv;
    int from;
    size_t count;  // elements either way
  };
  /// Sends to one rank and receives from one, within a group of calls.
  void exchange(const Exchange& e, cudaStream_t stream) const {
    check(api().send(e.send, e.count, type_, e.to, rank_.communicator, stream), "ncclSend");
    check(api().recv(e.recv, e.count, type_, e.from, rank_.communicator, stream), "ncclRecv");
  }

  NcclRank rank_;
  ncclDataType_t type_;
  size_t element_bytes_;

 private:
  GroupCall call_;
};

class CollectiveCall final : public NcclCall {
 public:
  CollectiveCall(const Collective& op, GroupCall call, const NcclRank& rank)
      : NcclCall(op.dtype, std::move(call), rank),
        kind_(op.kind),
        all_(size_t(op.elements)),
        part_(size_t(op.elements / op.ranks)) {}

  void launch(Stream stream, std::span<void* const> operands, void*) override {
    const auto queue = static_cast<cudaStream_t>(stream);
    void *const send = operands[0], *const recv = operands[1];
    switch (kind_) {
      case CollectiveKind::all_reduce:
        return check(api().all_reduce(send, recv, all_, type_, ncclSum, rank_.communicator, queue),
                     "ncclAllReduce");
      case CollectiveKind::all_gather:
        return check(api().all_gather(send, recv, part_, type_, rank_.communicator, queue), "ncclAllGather");
      case CollectiveKind::reduce_scatter:
        return check(api().reduce_scatter(send, recv, part_, type_, ncclSum, rank_.communicator, queue),
                     "ncclReduceScatter");
      case CollectiveKind::all_to_all:
        return all_to_all(static_cast<const char*>(send), static_cast<char*>(recv), queue);
    }
  }

 private:
  /// As nccl-tests does: one group of sends and receives.
  void all_to_all(const char* send, char* recv, cudaStream_t stream) const {
    check(api().group_start(), "ncclGroupStart");
    for (int peer = 0; peer < rank_.ranks; ++peer) {
      const size_t offset = size_t(peer) * part_ * element_bytes_;
      exchange({send + offset, peer, recv + offset, peer, part_}, stream);
    }
    check(api().group_end(), "ncclGroupEnd");
  }

  CollectiveKind kind_;
  size_t all_, part_;
};

class RingExchange final : public NcclCall {
 public:
  RingExchange(const P2p& op, GroupCall call, const NcclRank& rank)
      : NcclCall(op.dtype, std::move(call), rank), elements_(size_t(op.elements)) {}

  void launch(Stream stream, std::span<void* const> operands, void*) override {
    const int next = (rank_.rank + 1) % rank_.ranks, previous = (rank_.rank + rank_.ranks - 1) % rank_.ranks;
    check(api().group_start(), "ncclGroupStart");
    exchange({operands[0], next, operands[1], previous, elements_}, static_cast<cudaStream_t>(stream));
    check(api().group_end(), "ncclGroupEnd");
  }

 private:
  size_t elements_;
};

template <class Op, class Call>
void add(KernelRegistry& registry) {
  registry.add(Kernel<Op, NcclDevice>{
      "nccl_default", "nccl",
      [](const Op& op, const NcclDevice& device) { return why_no_ranks(op.ranks, device); },
      [](const Op& op, NcclDevice& device) -> std::unique_ptr<PreparedKernel> {
        return std::make_unique<Call>(op, group_call(op, "nccl_default"), device.rank());
      }});
}

}  // namespace

std::string why_no_ranks(int64_t ranks, const NcclDevice& device) {
  if (!device.launcher_problem().empty()) return device.launcher_problem();
  if (ranks > int64_t(device.gpus().size()))
    return fmt::format("{} ranks need a GPU each, this worker has {} ({})", ranks, device.gpus().size(),
                       device.info().id);
  return {};
}

void add_collective_nccl_kernels(KernelRegistry& registry) {
  add<Collective, CollectiveCall>(registry);
  add<P2p, RingExchange>(registry);
  add_library_all_reduce(registry);
  add_peer_all_reduce(registry);
}

}  // namespace perfatlas
