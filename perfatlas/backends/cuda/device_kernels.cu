// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "perfatlas/backends/cuda/cuda_call.h"
#include "perfatlas/backends/cuda/device_kernels.h"

namespace perfatlas {
namespace {

constexpr unsigned kThreads = 256;
constexpr size_t kMaxBlocks =
    4096;  // every multiprocessor full on any known part; threads loop over the rest

__device__ uint64_t now_ns() {
  uint64_t ns;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(ns));
  return ns;
}

__global__ void hold_kernel(const volatile uint32_t* released, uint32_t ticket, uint64_t timeout_ns) {
  const uint64_t start = now_ns();
  // The difference is compared, so that tickets may wrap around.
  while (static_cast<int32_t>(*released - ticket) < 0 && now_ns() - start < timeout_ns) {
  }
}

__global__ void noop_kernel() {}

__global__ void stamp_kernel(ClockStamp* to) {
  uint32_t multiprocessor;
  asm volatile("mov.u32 %0, %%smid;" : "=r"(multiprocessor));
  to->multiprocessor = multiprocessor;
  to->cycles = uint64_t(clock64());
  to->ns = now_ns();
}

__global__ void __launch_bounds__(kThreads) read_kernel(const uint4* data, size_t count, uint32_t* sink) {
  const size_t stride = size_t(gridDim.x) * kThreads;
  size_t i = size_t(blockIdx.x) * kThreads + threadIdx.x;
  uint32_t mix = 0;
  // Four independent loads in flight per thread.
  for (; i + 3 * stride < count; i += 4 * stride) {
    const uint4 a = data[i], b = data[i + stride], c = data[i + 2 * stride], d = data[i + 3 * stride];
    mix ^= a.x ^ a.y ^ a.z ^ a.w ^ b.x ^ b.y ^ b.z ^ b.w;
    mix ^= c.x ^ c.y ^ c.z ^ c.w ^ d.x ^ d.y ^ d.z ^ d.w;
  }
  for (; i < count; i += stride) mix ^= data[i].x ^ data[i].y ^ data[i].z ^ data[i].w;
  if (mix == 0x9e3779b9u) *sink = mix;
}

unsigned blocks_for(size_t count) {
  return unsigned(std::clamp<size_t>((count + kThreads - 1) / kThreads, 1, kMaxBlocks));
}

}  // namespace

void launch_hold(const volatile uint32_t* released, uint32_t ticket, uint64_t timeout_ns,
                 cudaStream_t stream) {
  hold_kernel<<<1, 1, 0, stream>>>(released, ticket, timeout_ns);
  check_cuda(cudaGetLastError(), "hold_kernel<<<>>>");
}

void launch_stamp(ClockStamp* to, cudaStream_t stream) {
  stamp_kernel<<<1, 1, 0, stream>>>(to);
  check_cuda(cudaGetLastError(), "stamp_kernel<<<>>>");
}

void launch_noop(cudaStream_t stream) {
  noop_kernel<<<1, 1, 0, stream>>>();
  check_cuda(cudaGetLastError(), "noop_kernel<<<>>>");
}

void launch_read(const void* data, size_t bytes, void* sink, cudaStream_t stream) {
  const size_t count = bytes / sizeof(uint4);
  read_kernel<<<blocks_for(count), kThreads, 0, stream>>>(static_cast<const uint4*>(data), count,
                                                          static_cast<uint32_t*>(sink));
  check_cuda(cudaGetLastError(), "read_kernel<<<>>>");
}

}  // namespace perfatlas
