// SPDX-License-Identifier: Apache-2.0
// For tests: a library that looks like NCCL 2.28.9 and moves host memory between processes of this machine, on the
// streams of FakeRuntime. Messages of more than kSlotBytes are refused.
#include <fcntl.h>
#include <nccl.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "perfatlas/backends/cuda/fake_stream.h"

namespace {

constexpr size_t kSlotBytes = size_t(1) << 20;
constexpr int kMostRanks = 8;

/// Memory that all ranks of a communicator share.
struct Room {
  std::atomic<int> arrived, generation;
  char slots[kMostRanks][kSlotBytes];

  void meet(int ranks) {
    const int before = generation.load();
    if (arrived.fetch_add(1) + 1 == ranks) {
      arrived = 0;
      ++generation;
      return;
    }
    while (generation.load() == before) sched_yield();
  }
};

struct Exchange {
  void* memory;
  size_t bytes;
  int peer;
};

size_t bytes_of(ncclDataType_t type) {
  switch (type) {
    case ncclInt8:
      return 1;
    case ncclFloat16:
    case ncclBfloat16:
      return 2;
    default:
      return 4;
  }
}

float widened(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }
uint16_t rounded(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  return uint16_t((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

/// Element `i` of the sum of the ranks' arrays.
template <class T, class Get, class Put>
void sum_into(void* recv, const std::vector<const void*>& from, size_t count, const Get& get,
              const Put& put) {
  for (size_t i = 0; i < count; ++i) {
    auto sum = get(static_cast<const T*>(from[0])[i]);
    for (size_t rank = 1; rank < from.size(); ++rank) sum += get(static_cast<const T*>(from[rank])[i]);
    static_cast<T*>(recv)[i] = put(sum);
  }
}

void sum(void* recv, const std::vector<const void*>& from, size_t count, ncclDataType_t type) {
  const auto same = [](auto value) { return value; };
  switch (type) {
    case ncclInt8:
      return sum_into<uint8_t>(
          recv, from, count, [](uint8_t value) { return unsigned(value); },
          [](unsigned value) { return uint8_t(value); });
    case ncclFloat16:
      return sum_into<_Float16>(
          recv, from, count, [](_Float16 value) { return float(value); },
          [](float value) { return _Float16(value); });
    case ncclBfloat16:
      return sum_into<uint16_t>(recv, from, count, widened, rounded);
    case ncclInt32:
      return sum_into<int32_t>(recv, from, count, same, same);
    default:
      return sum_into<float>(recv, from, count, same, same);
  }
}

}  // namespace

struct ncclComm {
  int rank = 0, ranks = 1;
  Room* room = nullptr;
  std::vector<Exchange> sends, receives;  // of the open group
  cudaStream_t group_stream = nullptr;

  bool fits(size_t bytes) const { return bytes <= kSlotBytes; }
  char* slot(int owner) const { return room->slots[owner]; }
  /// Shows every rank `bytes` bytes of this one while `look` runs; on the stream.
  template <class Look>
  ncclResult_t share(const void* send, size_t bytes, cudaStream_t stream, const Look& look) {
    if (!fits(bytes)) return ncclInvalidUsage;
    on(stream, [this, send, bytes, look] {
      std::memcpy(slot(rank), send, bytes);
      room->meet(ranks);
      look();
      room->meet(ranks);
    });
    return ncclSuccess;
  }
  static void on(cudaStream_t stream, std::function<void()> work) {
    static_cast<perfatlas::FakeStream*>(static_cast<void*>(stream))->take(std::move(work));
  }
};

namespace {

thread_local int open_groups = 0;
thread_local std::vector<ncclComm*> in_group;

void exchange(const ncclComm& comm, const std::vector<Exchange>& sends,
              const std::vector<Exchange>& receives) {
  const auto lane = [&](int peer) { return size_t(peer) * kSlotBytes / size_t(comm.ranks); };
  for (const Exchange& send : sends)
    std::memcpy(comm.slot(comm.rank) + lane(send.peer), send.memory, send.bytes);
  comm.room->meet(comm.ranks);
  for (const Exchange& receive : receives)
    std::memcpy(receive.memory, comm.slot(receive.peer) + lane(comm.rank), receive.bytes);
  comm.room->meet(comm.ranks);
}

ncclResult_t enter(ncclComm* comm, std::vector<Exchange>& list, const Exchange& one, cudaStream_t stream) {
  if (open_groups == 0 || !comm->fits(one.bytes * size_t(comm->ranks))) return ncclInvalidUsage;
  if (comm->sends.empty() && comm->receives.empty()) in_group.push_back(comm);
  comm->group_stream = stream;
  list.push_back(one);
  return ncclSuccess;
}

}  // namespace

extern "C" {

ncclResult_t ncclGetVersion(int* version) { return *version = 22809, ncclSuccess; }
const char* ncclGetErrorString(ncclResult_t result) {
  return result == ncclSuccess ? "no error" : "invalid usage (stand-in)";
}
const char* ncclGetLastError(ncclComm_t) { return ""; }

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  std::memset(id, 0, sizeof *id);
  std::random_device random;
  std::snprintf(id->internal, sizeof id->internal, "/perfatlas-fake-nccl-%08x%08x", random(), random());
  return ncclSuccess;
}

ncclResult_t ncclCommInitRank(ncclComm_t* comm, int ranks, ncclUniqueId id, int rank) {
  if (ranks > kMostRanks) return ncclInvalidArgument;
  const int file = shm_open(id.internal, O_RDWR | O_CREAT, 0600);
  if (file < 0 || ftruncate(file, sizeof(Room)) != 0) return ncclSystemError;
  void* const room = mmap(nullptr, sizeof(Room), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (room == MAP_FAILED) return ncclSystemError;
  *comm = new ncclComm{.rank = rank, .ranks = ranks, .room = static_cast<Room*>(room)};
  (*comm)->room->meet(ranks);
  if (rank == 0) shm_unlink(id.internal);
  return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t comm) {
  munmap(comm->room, sizeof(Room));
  delete comm;
  return ncclSuccess;
}

ncclResult_t ncclAllGather(const void* send, void* recv, size_t count, ncclDataType_t type, ncclComm_t comm,
                           cudaStream_t stream) {
  const size_t bytes = count * bytes_of(type);
  return comm->share(send, bytes, stream, [=] {
    for (int peer = 0; peer < comm->ranks; ++peer)
      std::memcpy(static_cast<char*>(recv) + size_t(peer) * bytes, comm->slot(peer), bytes);
  });
}

ncclResult_t ncclReduceScatter(const void* send, void* recv, size_t count, ncclDataType_t type, ncclRedOp_t,
                               ncclComm_t comm, cudaStream_t stream) {
  const size_t part = count * bytes_of(type);
  return comm->share(send, part * size_t(comm->ranks), stream, [=] {
    std::vector<const void*> parts;
    for (int peer = 0; peer < comm->ranks; ++peer)
      parts.push_back(comm->slot(peer) + size_t(comm->rank) * part);
    sum(recv, parts, count, type);
  });
}

ncclResult_t ncclAllReduce(const void* send, void* recv, size_t count, ncclDataType_t type, ncclRedOp_t,
                           ncclComm_t comm, cudaStream_t stream) {
  return comm->share(send, count * bytes_of(type), stream, [=] {
    std::vector<const void*> all;
    for (int peer = 0; peer < comm->ranks; ++peer) all.push_back(comm->slot(peer));
    sum(recv, all, count, type);
  });
}

ncclResult_t ncclSend(const void* send, size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
  return enter(comm, comm->sends, {const_cast<void*>(send), count * bytes_of(type), peer}, stream);
}
ncclResult_t ncclRecv(void* recv, size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
  return enter(comm, comm->receives, {recv, count * bytes_of(type), peer}, stream);
}
ncclResult_t ncclGroupStart() { return ++open_groups, ncclSuccess; }
ncclResult_t ncclGroupEnd() {
  if (--open_groups > 0) return ncclSuccess;
  for (ncclComm* const comm : in_group)
    ncclComm::on(comm->group_stream,
                 [comm, sends = std::exchange(comm->sends, {}),
                  receives = std::exchange(comm->receives, {})] { exchange(*comm, sends, receives); });
  in_group.clear();
  return ncclSuccess;
}

}  // extern "C"
