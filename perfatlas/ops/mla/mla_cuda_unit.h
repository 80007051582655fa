// SPDX-License-Identifier: Apache-2.0
// Latent attention as the compiled units of kernel libraries offer it to mla_cuda.cu and dsa_cuda_flashinfer.cu.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "perfatlas/backends/device.h"
#include "perfatlas/ops/attention/attention_shape.h"

namespace perfatlas {

/// Device memory of one launch, in the layouts of MlaContext::operands() or MlaGeneration::operands(); the new tokens
/// are in the cache already. Prefill uses k and v, decode the cache and the pages.
struct MlaBuffers {
  void* q = nullptr;
  void* k = nullptr;
  void* v = nullptr;
  void* cache = nullptr;
  int32_t* pages = nullptr;  // of the cache: MlaRequests::pages_per_request of each request
  void* out = nullptr;
  void* workspace = nullptr;
};

/// One attention planned for a shape of the unit's types.
class MlaAttention {
 public:
  virtual ~MlaAttention() = default;
  virtual size_t workspace_bytes() const = 0;
  /// Enqueues it. Throws Error.
  virtual void launch(const MlaBuffers& buffers, Stream stream) = 0;
};

/// The factory of every unit for prefill. `device` outlives what it makes. Throws Error when the library refuses.
using MakeMlaAttention = std::unique_ptr<MlaAttention>(const AttentionShape& shape, Device& device);

/// Absorbed decode over a paged latent cache: request r is one query row [heads, 576], which attends to the first
/// lengths[r] tokens of its pages.
struct MlaRequests {
  int64_t heads = 1;
  int64_t page_tokens = kPageTokens;  // 1: the pages are the tokens themselves, in any order
  int64_t pages_per_request = 0;      // from the first page of a request to that of the next
  std::vector<int32_t> lengths;       // none is 0
  double scale = 1;                   // of the scores
};

/// The factory of every unit for decode.
using MakeMlaDecode = std::unique_ptr<MlaAttention>(const MlaRequests& requests, Device& device);

/// "flashinfer_mla_decode_bf16_fp8": the unit for Hopper or for every part, by the types of queries and cache.
std::string mla_decode_unit(bool for_hopper, DType dtype, DType kv_dtype);

class CudaDevice;

/// Why there is no such unit for the device, or empty.
std::string why_no_mla_decode_unit(bool for_hopper, DType dtype, DType kv_dtype, const CudaDevice& device);

/// Why FlashInfer takes no such requests, or empty.
std::string why_no_mla_requests(int64_t requests, int64_t heads);

}  // namespace perfatlas
