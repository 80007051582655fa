// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/block_kernel.cuh"
#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/backends/cuda/cuda_element.cuh"
#include "perfatlas/ops/embedding/embedding.h"

namespace perfatlas {
namespace {

/// One block per token.
template <class T>
struct GatherRows {
  int64_t tokens = 0, hidden = 0;
  const int32_t* ids = nullptr;
  const T* table = nullptr;
  T* out = nullptr;

  void bind(std::span<void* const> operands, void*) {
    ids = static_cast<const int32_t*>(operands[0]);
    table = static_cast<const T*>(operands[1]);
    out = static_cast<T*>(operands[2]);
  }
  int64_t blocks() const { return tokens; }
  int64_t shared_floats() const { return 0; }
  PERFATLAS_BOTH void operator()(const Block& block) const {
    const T* from = table + int64_t(ids[block.index()]) * hidden;
    T* to = out + block.index() * hidden;
    block.each(hidden, [=](int64_t i) { to[i] = from[i]; });
  }
};

}  // namespace

void add_embedding_cuda_kernels(KernelRegistry& registry) {
  registry.add(Kernel<Embedding, CudaDevice>{
      "reference", "cuda", [](const Embedding& op, const CudaDevice&) { return why_not_wide(op.dtype); },
      [](const Embedding& op, CudaDevice& device) {
        return with_wide_element(op.dtype, [&]<class T>(T) {
          return block_kernel_of(device.runtime(), GatherRows<T>{.tokens = op.tokens, .hidden = op.hidden});
        });
      }});
}

}  // namespace perfatlas
