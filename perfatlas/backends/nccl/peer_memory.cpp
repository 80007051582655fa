// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/nccl/peer_memory.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace perfatlas {
namespace {

/// A handle, or the text of an error.
constexpr size_t kMessageBytes = 256;
using Text = std::array<char, kMessageBytes>;

Text text_of(const std::string& message) {
  Text text{};
  message.copy(text.data(), text.size() - 1);
  return text;
}

}  // namespace

PeerMemory::PeerMemory(const NcclRank& rank, size_t bytes)
    : PeerMemory(rank, [&] {
        std::shared_ptr<void> memory = rank.device->allocate(bytes);
        rank.device->runtime().fill(memory.get(), 0, bytes, rank.device->stream());
        return memory;
      }) {}

PeerMemory::PeerMemory(const NcclRank& rank, void* own)
    : PeerMemory(rank, [&] { return std::shared_ptr<void>(std::shared_ptr<void>(), own); }) {}

PeerMemory::PeerMemory(const NcclRank& rank, const std::function<std::shared_ptr<void>()>& own)
    : rank_(rank), messages_(rank.device->allocate(kMessageBytes * size_t(rank.ranks + 1))) {
  PeerHandle mine;  // zeros: there is none
  std::string problem;
  try {
    own_ = own();
    mine = rank.device->runtime().export_memory(own_.get());
  } catch (const Error& error) {
    problem = error.what();
  }
  // A rank that failed goes on until all know it, since the others wait for it. The handles go round behind the zeros.
  const std::vector<PeerHandle> handles = said_by_all(mine);
  if (problem.empty()) problem = open(handles);
  const std::vector<Text> problems = said_by_all(text_of(problem));
  for (size_t from = 0; from < problems.size(); ++from) {
    if (problems[from][0] == 0) continue;
    close();
    throw Error(
        fmt::format("the ranks do not see each other's memory; rank {}: {}", from, problems[from].data()));
  }
}

PeerMemory::~PeerMemory() {
  try {
    close();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rank %d of %d cannot give its peer memory back: %s\n", rank_.rank, rank_.ranks,
                 error.what());
    std::_Exit(EXIT_FAILURE);
  }
}

std::string PeerMemory::open(const std::vector<PeerHandle>& handles) {
  for (int peer = 0; peer < rank_.ranks; ++peer) {
    const PeerHandle& handle = handles[size_t(peer)];
    if (handle.bytes == PeerHandle{}.bytes) break;  // that rank says why
    try {
      buffers_.push_back(peer == rank_.rank ? own_.get() : rank_.device->runtime().open_peer(handle));
    } catch (const Error& error) {
      return fmt::format("that of rank {} cannot be reached: {}", peer, error.what());
    }
  }
  return {};
}

void PeerMemory::close() {
  rank_.device->synchronize();  // nothing of this rank reads any more
  for (void* const buffer : buffers_)
    if (buffer != own_.get()) rank_.device->runtime().close_peer(buffer);
  buffers_.clear();
  said_by_all('c');  // nor has any other it open
}

template <class T>
std::vector<T> PeerMemory::said_by_all(const T& mine) {
  static_assert(sizeof mine <= kMessageBytes);
  CudaDevice& device = *rank_.device;
  char* const sent = static_cast<char*>(messages_.get());
  char* const received = sent + kMessageBytes;
  device.copy_in(sent, &mine, sizeof mine);
  rank_.nccl->check(rank_.nccl->api().all_gather(sent, received, sizeof mine, ncclInt8, rank_.communicator,
                                                 static_cast<cudaStream_t>(device.stream())),
                    "ncclAllGather (peer memory)");
  std::vector<T> all(size_t(rank_.ranks));
  device.copy_out(all.data(), received, sizeof mine * all.size());
  return all;
}

}  // namespace perfatlas
