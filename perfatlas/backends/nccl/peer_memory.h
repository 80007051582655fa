// SPDX-License-Identifier: Apache-2.0
// One buffer per rank that the kernels of all ranks of a group read and write.
#pragma once

#include <memory>
#include <vector>

#include "perfatlas/backends/nccl/nccl_device.h"

namespace perfatlas {

class PeerMemory {
 public:
  /// `bytes` bytes of zeros in every rank. Every rank of the group makes one of the same size at the same time; all are
  /// there when it returns. Throws Error, also when the GPUs cannot reach each other's memory.
  PeerMemory(const NcclRank& rank, size_t bytes);
  ~PeerMemory();
  PeerMemory(const PeerMemory&) = delete;
  PeerMemory& operator=(const PeerMemory&) = delete;

  /// The buffer of each rank, as this process addresses it.
  const std::vector<void*>& buffers() const { return buffers_; }

 private:
  NcclRank rank_;
  std::shared_ptr<void> own_;
  std::vector<void*> buffers_;
};

}  // namespace perfatlas
