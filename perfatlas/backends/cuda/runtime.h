// SPDX-License-Identifier: Apache-2.0
// The part of the CUDA runtime that perfatlas uses, as an interface: the logic above it (CudaDevice, CudaBatch,
// kernels) is tested without a GPU against a fake that fails, runs out of memory or reports times on demand.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "perfatlas/backends/cuda/block_work.h"
#include "perfatlas/backends/device.h"

namespace perfatlas {

struct CudaProperties {
  std::string name;
  std::string uuid;        // "GPU-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
  std::string pci_bus_id;  // "0000:1a:00.0"
  int sm_version = 0;      // 10 * major + minor: 90 for Hopper
  int multiprocessors = 0;
  size_t memory_bytes = 0;
  size_t l2_bytes = 0;
};

using CudaEvent = void*;
using CudaGraph = void*;  // instantiated, ready to be launched

/// Counters of one multiprocessor at one moment.
struct ClockStamp {
  uint64_t cycles = 0;  // of its clock
  uint64_t ns = 0;      // of the device's timer
  uint64_t multiprocessor = 0;
};

/// Names an allocation of another process (cudaIpcMemHandle_t).
struct PeerHandle {
  std::array<char, 64> bytes{};
};

struct CapturedGraph {
  CudaGraph graph = nullptr;
  size_t nodes = 0;
};

/// One device of one process. All functions throw CudaError unless marked noexcept; a failed allocation throws
/// OutOfMemory. Work is enqueued unless said otherwise.
class CudaRuntime {
 public:
  virtual ~CudaRuntime() = default;

  /// 0 is an answer; a missing or too old driver throws with its reason.
  virtual int device_count() = 0;
  /// Looks at a device without making it current. REQUIRES: 0 <= device < device_count().
  virtual CudaProperties properties_of(int device) = 0;
  /// Makes the device current for this thread. REQUIRES: 0 <= device < device_count().
  virtual CudaProperties select(int device) = 0;
  /// "driver" (the newest CUDA version it supports) and "cudart".
  virtual std::map<std::string, std::string> versions() = 0;
  /// The context no longer works (see is_fatal in cuda_call.h). Waits for the device.
  virtual bool lost() noexcept = 0;

  virtual void* allocate(size_t bytes) = 0;
  virtual void release(void* memory) noexcept = 0;
  /// In either direction or within the device; in stream order. A copy from or to the host is complete on return.
  virtual void copy(void* to, const void* from, size_t bytes, Stream stream) = 0;
  virtual void fill(void* to, int byte, size_t bytes, Stream stream) = 0;

  /// The name of a whole allocation for other processes of this machine, while it lives.
  virtual PeerHandle export_memory(void* memory) = 0;
  /// Memory of another process, perhaps on another device; its kernels and ours see the same bytes.
  virtual void* open_peer(const PeerHandle& handle) = 0;
  virtual void close_peer(void* memory) noexcept = 0;

  virtual Stream create_stream() = 0;
  virtual void destroy_stream(Stream stream) noexcept = 0;
  virtual void synchronize(Stream stream) = 0;

  virtual CudaEvent create_event() = 0;
  virtual void destroy_event(CudaEvent event) noexcept = 0;
  virtual void record(CudaEvent event, Stream stream) = 0;
  /// REQUIRES: both were recorded and are complete.
  virtual double elapsed_ms(CudaEvent from, CudaEvent to) = 0;

  /// Work enqueued on `stream` until end_capture is recorded, not run.
  virtual void begin_capture(Stream stream) = 0;
  virtual CapturedGraph end_capture(Stream stream) = 0;
  /// Ends a capture that went wrong, whatever state it is in, and forgets the error.
  virtual void abort_capture(Stream stream) noexcept = 0;
  /// Moves what the graph needs to the device, so that its first launch is like every other.
  virtual void upload(CudaGraph graph, Stream stream) = 0;
  virtual void launch(CudaGraph graph, Stream stream) = 0;
  virtual void destroy_graph(CudaGraph graph) noexcept = 0;

  /// A range of NVTX around what this thread launches, for profilers.
  virtual void begin_range(const std::string& name) = 0;
  virtual void end_range() = 0;
  /// Device memory that is free now.
  virtual size_t free_bytes() = 0;

  // Kernels of perfatlas itself (device_kernels.h).
  /// Writes the counters of the multiprocessor that runs it to `to` (device memory).
  virtual void stamp(ClockStamp* to, Stream stream) = 0;
  /// Stalls the stream until let_go(), at most for kHoldTimeoutMs: what is enqueued behind it starts without a gap.
  virtual void hold(Stream stream) = 0;
  virtual void let_go() noexcept = 0;
  virtual void noop(Stream stream) = 0;
  virtual void read(const void* data, size_t bytes, void* sink, Stream stream) = 0;
  /// A kernel of an op (block_kernel.cuh).
  virtual void run(const BlockWork& work, Stream stream) = 0;

  static constexpr double kHoldTimeoutMs = 50;
};

/// The real one. Touches neither driver nor device before its first call.
std::shared_ptr<CudaRuntime> make_cuda_runtime();

}  // namespace perfatlas
