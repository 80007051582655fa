// SPDX-License-Identifier: Apache-2.0
// A library's sum over memory that the ranks of a group open to each other.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "perfatlas/backends/device.h"
#include "perfatlas/schema/dtype.h"

namespace perfatlas {

/// What the kernels of one rank are told. Everything outlives them.
struct PeerSumRequest {
  DType dtype = DType::bf16;  // float32, float16 or bfloat16
  int rank = 0, ranks = 2;    // 2, 4, 6 or 8
  /// Of each rank, as this process addresses it: signal_bytes of memory that was zeros when the ranks met, and its
  /// message.
  std::vector<void*> signals, inputs;
  void* table = nullptr;  // PeerSumLibrary::table_bytes of this rank
};

class PeerSum {
 public:
  virtual ~PeerSum() = default;
  /// Enqueues output = sum of the inputs of all ranks, each `elements` long: a multiple of 16 bytes, at most 2^31 - 1.
  /// All ranks must launch as often. Throws Error.
  virtual void launch(void* output, int64_t elements, Stream stream) = 0;
};

struct PeerSumLibrary {
  std::string_view version;
  size_t table_bytes = 0;
  /// Signals, and what a rank shows of its part of a message.
  size_t (*signal_bytes)(size_t message_bytes, int ranks) = nullptr;
  std::unique_ptr<PeerSum> (*make)(const PeerSumRequest& request) = nullptr;
};

/// vLLM's all-reduce, in FlashInfer's headers; null in a build without them.
const PeerSumLibrary* flashinfer_peer_sums();

}  // namespace perfatlas
