// SPDX-License-Identifier: Apache-2.0
// One allocation per rank that the kernels of all ranks of a group read and write.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "perfatlas/backends/nccl/nccl_device.h"

namespace perfatlas {

/// Opened and closed by all ranks of a group together. REQUIRES: every rank of the group makes its part at the same
/// time, and lets go of it at the same time; what a kernel may fail at by itself comes before it makes one.
class PeerMemory {
 public:
  /// `bytes` bytes of zeros in every rank; all are there when it returns. Throws Error in all ranks when one of them
  /// has no memory, or cannot reach that of another.
  PeerMemory(const NcclRank& rank, size_t bytes);
  /// `own` of every rank, which is a whole allocation and outlives this. Throws as the other one.
  PeerMemory(const NcclRank& rank, void* own);
  /// Returns when no rank reads or has open the memory of another: to free memory that another process has open is
  /// undefined (cudaIpcOpenMemHandle). A rank that cannot come to that point, because its context is lost, ends its
  /// process, and the front ends its group.
  ~PeerMemory();
  PeerMemory(const PeerMemory&) = delete;
  PeerMemory& operator=(const PeerMemory&) = delete;

  /// The memory of each rank, as this process addresses it.
  const std::vector<void*>& buffers() const { return buffers_; }

 private:
  PeerMemory(const NcclRank& rank, const std::function<std::shared_ptr<void>()>& own);
  /// Why the memory of the others cannot be opened, or empty.
  std::string open(const std::vector<PeerHandle>& handles);
  void close();
  /// What every rank says, which is said when all have come.
  template <class T>
  std::vector<T> said_by_all(const T& mine);

  NcclRank rank_;
  std::shared_ptr<void> messages_;  // one of this rank, then one of each
  std::shared_ptr<void> own_;
  std::vector<void*> buffers_;
};

}  // namespace perfatlas
