// SPDX-License-Identifier: Apache-2.0
// Kernels written once for the device and for the host. A body is a value struct with
//   int64_t blocks() const                             how many blocks the work has; none depends on another
//   int64_t shared_floats() const                      shared memory of one block
//   PERFATLAS_BOTH void operator()(Block&) const       what one block does
//   void bind(std::span<void* const>, void*)           takes the operands and the workspace of a launch
// These are the kernels of ops that no library has, and the second opinion where one has: plain, not tuned.
#pragma once

#include <cuda_runtime.h>

#include <span>
#include <vector>

#include "perfatlas/backends/cuda/block_work.h"
#include "perfatlas/backends/cuda/cuda_call.h"
#include "perfatlas/backends/cuda/runtime.h"
#include "perfatlas/backends/kernel.h"

#define PERFATLAS_BOTH __host__ __device__

namespace perfatlas {

/// The threads of one block, who do everything together: every member function is called by all of them, with the
/// same arguments, and returns when all are done.
class Block {
 public:
  static constexpr int kThreads = 256;

  PERFATLAS_BOTH Block(int64_t index, float* shared) : index_(index), shared_(shared) {}

  PERFATLAS_BOTH int64_t index() const { return index_; }
  /// Memory of this block: shared_floats() of the body.
  PERFATLAS_BOTH float* shared() const { return shared_; }

  /// f(i) for every i < count, in any order.
  template <class F>
  PERFATLAS_BOTH void each(int64_t count, const F& f) const {
#ifdef __CUDA_ARCH__
    for (int64_t i = threadIdx.x; i < count; i += kThreads) f(i);
    __syncthreads();
#else
    for (int64_t i = 0; i < count; ++i) f(i);
#endif
  }

  /// The sum of f(i) for every i < count, and the largest of them (at least `least`).
  template <class F>
  PERFATLAS_BOTH float sum(int64_t count, const F& f) const {
    return fold(count, 0.0F, f, [](float a, float b) { return a + b; });
  }
  template <class F>
  PERFATLAS_BOTH float largest(int64_t count, float least, const F& f) const {
    return fold(count, least, f, [](float a, float b) { return a > b ? a : b; });
  }

 private:
  template <class F, class Join>
  PERFATLAS_BOTH float fold(int64_t count, float start, const F& f, const Join& join) const {
    float mine = start;
#ifdef __CUDA_ARCH__
    for (int64_t i = threadIdx.x; i < count; i += kThreads) mine = join(mine, f(i));
    __shared__ float of_warps[kThreads / 32];
    for (int distance = 16; distance > 0; distance /= 2)
      mine = join(mine, __shfl_xor_sync(0xffffffffU, mine, distance));
    if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = mine;
    __syncthreads();
    mine = of_warps[0];
    for (int warp = 1; warp < kThreads / 32; ++warp) mine = join(mine, of_warps[warp]);
    __syncthreads();  // of_warps may be written again
#else
    for (int64_t i = 0; i < count; ++i) mine = join(mine, f(i));
#endif
    return mine;
  }

  int64_t index_;
  float* shared_;
};

/// More blocks than any device runs at once; each takes several.
inline constexpr int64_t kMostBlocks = int64_t(1) << 20;

template <class Body>
__global__ void __launch_bounds__(Block::kThreads) block_kernel(const Body body, int64_t blocks) {
  extern __shared__ float shared[];
  for (int64_t i = blockIdx.x; i < blocks; i += gridDim.x) {
    Block block(i, shared);
    body(block);
    __syncthreads();  // the next block uses the same shared memory
  }
}

template <class Body>
void launch_block_kernel(const void* erased, Stream stream) {
  const Body& body = *static_cast<const Body*>(erased);
  const int64_t blocks = body.blocks();
  if (blocks == 0) return;
  const size_t shared_bytes = size_t(body.shared_floats()) * sizeof(float);
  constexpr size_t kWithoutAsking = 48 << 10;
  if (shared_bytes > kWithoutAsking)
    check_cuda(cudaFuncSetAttribute(block_kernel<Body>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                    int(shared_bytes)),
               "cudaFuncSetAttribute(block_kernel)");
  const auto grid = unsigned(blocks < kMostBlocks ? blocks : kMostBlocks);
  block_kernel<Body>
      <<<grid, Block::kThreads, shared_bytes, static_cast<cudaStream_t>(stream)>>>(body, blocks);
  check_cuda(cudaGetLastError(), "block_kernel<<<>>>");
}

template <class Body>
void run_blocks_on_host(const void* erased) {
  const Body& body = *static_cast<const Body*>(erased);
  std::vector<float> shared(size_t(body.shared_floats()) + 1);
  for (int64_t i = 0; i < body.blocks(); ++i) {
    Block block(i, shared.data());
    body(block);
  }
}

template <class Body>
BlockWork block_work(const Body& body) {
  return {std::make_shared<Body>(body), &launch_block_kernel<Body>, &run_blocks_on_host<Body>};
}

/// A kernel of one body.
template <class Body>
class BlockKernel final : public PreparedKernel {
 public:
  BlockKernel(CudaRuntime& runtime, const Body& body, size_t workspace_bytes = 0)
      : runtime_(runtime), body_(body), workspace_bytes_(workspace_bytes) {}

  size_t workspace_bytes() const override { return workspace_bytes_; }
  void launch(Stream stream, std::span<void* const> operands, void* workspace) override {
    body_.bind(operands, workspace);
    runtime_.run(block_work(body_), stream);
  }

 private:
  CudaRuntime& runtime_;
  Body body_;
  size_t workspace_bytes_;
};

template <class Body>
std::unique_ptr<PreparedKernel> block_kernel_of(CudaRuntime& runtime, const Body& body) {
  return std::make_unique<BlockKernel<Body>>(runtime, body);
}

}  // namespace perfatlas
