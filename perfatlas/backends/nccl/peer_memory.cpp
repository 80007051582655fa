// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/nccl/peer_memory.h"

#include <fmt/format.h>

namespace perfatlas {

PeerMemory::PeerMemory(const NcclRank& rank, size_t bytes) : rank_(rank), own_(rank.device->allocate(bytes)) {
  CudaDevice& device = *rank.device;
  CudaRuntime& runtime = device.runtime();
  runtime.fill(own_.get(), 0, bytes, device.stream());
  // The handles go round as any other message, which is also the barrier behind the zeros.
  const PeerHandle mine = runtime.export_memory(own_.get());
  const auto sent = device.allocate(sizeof mine);
  const auto gathered = device.allocate(sizeof mine * size_t(rank.ranks));
  device.copy_in(sent.get(), mine.bytes.data(), sizeof mine);
  rank.nccl->check(rank.nccl->api().all_gather(sent.get(), gathered.get(), sizeof mine, ncclInt8,
                                               rank.communicator, static_cast<cudaStream_t>(device.stream())),
                   "ncclAllGather (peer handles)");
  std::vector<PeerHandle> handles(size_t(rank.ranks));
  device.copy_out(handles.data(), gathered.get(), sizeof mine * handles.size());
  try {
    for (int peer = 0; peer < rank.ranks; ++peer)
      buffers_.push_back(peer == rank.rank ? own_.get() : runtime.open_peer(handles[size_t(peer)]));
  } catch (const Error& error) {
    throw Error(fmt::format("the memory of rank {} cannot be reached from rank {}: {}", buffers_.size(),
                            rank.rank, error.what()));
  }
}

PeerMemory::~PeerMemory() {
  for (void* const buffer : buffers_)
    if (buffer != own_.get()) rank_.device->runtime().close_peer(buffer);
}

}  // namespace perfatlas
