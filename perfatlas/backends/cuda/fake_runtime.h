// SPDX-License-Identifier: Apache-2.0
// For tests: a CUDA runtime whose device memory is host memory, whose clock moves only when work runs, and which
// fails on demand.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <vector>

#include "perfatlas/backends/cuda/cuda_call.h"
#include "perfatlas/backends/cuda/fake_stream.h"
#include "perfatlas/backends/cuda/runtime.h"
#include "perfatlas/backends/kernel.h"

namespace perfatlas {

class FakeRuntime final : public CudaRuntime, public FakeStream {
 public:
  // Knobs.
  CudaProperties properties{.name = "Fake GPU",
                            .uuid = "GPU-00000000-0000-0000-0000-00000000000b",
                            .pci_bus_id = "0000:0b:00.0",
                            .sm_version = 90,
                            .multiprocessors = 4,
                            .memory_bytes = size_t(1) << 30,
                            .l2_bytes = size_t(1) << 20};
  int devices = 1;
  std::map<int, std::string> uuids;        // of devices that are not alike in it
  cudaError_t driver_error = cudaSuccess;  // of every device_count()
  bool capture_fails = false;              // cudaErrorStreamCaptureUnsupported at the end of a capture
  bool capture_sees_nothing = false;       // as if work went to another stream
  bool context_lost = false;
  double work_ms = 1, flush_ms = 100;
  double graph_launch_ms = 0;  // of any graph, before its work
  double clock_mhz = 1500;     // what stamps say
  bool stamps_move = false;    // every stamp comes from another multiprocessor
  bool time_runs_backwards = false;
  size_t used_by_others = 0;
  bool shareable = false;                      // allocations can be opened by other processes
  std::function<void()> before_close = [] {};  // of memory of another process
  /// The nth call of this name from now on fails, once; a fatal code loses the context.
  struct Failure {
    std::string call;
    int nth = 1;
    cudaError_t code = cudaErrorInvalidValue;
  };
  std::optional<Failure> failure;
  std::string hangs_at;             // a call of this name never returns
  std::vector<std::string> ranges;  // every name given to begin_range()
  int open_ranges = 0;

  /// One piece of device work that ran.
  struct Ran {
    enum Kind { work, flush } kind;
    const void* operand;  // of work: its first operand
    bool from_graph;
    bool held;  // enqueued behind hold(), before let_go()
  };
  std::vector<Ran> ran;
  size_t live_graphs = 0, live_events = 0, live_streams = 0, captures = 0;
  size_t allocated = 0;

  /// What a test kernel enqueues.
  void work(const void* operand) {
    enqueue({operand, [] {}});
  }

  int device_count() override {
    check_cuda(driver_error, "cudaGetDeviceCount()");
    return devices;
  }
  CudaProperties select(int) override { return may_fail("select"), properties; }
  CudaProperties properties_of(int device) override {
    CudaProperties found = properties;
    if (const auto other = uuids.find(device); other != uuids.end()) found.uuid = other->second;
    return found;
  }
  std::map<std::string, std::string> versions() override { return {{"cudart", "13.0"}}; }
  bool lost() noexcept override { return context_lost; }

  void* allocate(size_t bytes) override {
    may_fail("allocate");
    if (allocated + bytes > properties.memory_bytes) throw OutOfMemory("out of memory: fake");
    const int file = shareable ? ::memfd_create("fake-device", MFD_CLOEXEC) : -1;
    void* const memory = file >= 0 && ::ftruncate(file, off_t(shared_bytes(bytes))) == 0
                             ? map(file, bytes)
                             : std::aligned_alloc(256, (bytes + 511) / 256 * 256);
    allocated += bytes;
    allocations_[memory] = {bytes, file};
    return memory;
  }
  void release(void* memory) noexcept override {
    const Allocation was = allocations_[memory];
    allocations_.erase(memory);
    allocated -= was.bytes;
    if (was.file < 0) return std::free(memory);
    if (openings(memory, was.bytes) != 0) {
      std::fputs("memory is freed that another process has open\n", stderr);
      std::abort();
    }
    ::munmap(memory, shared_bytes(was.bytes));
    ::close(was.file);
  }
  /// REQUIRES (both): shareable.
  PeerHandle export_memory(void* memory) override {
    may_fail("export_memory");
    const Shared shared{::getpid(), allocations_.at(memory)};
    PeerHandle handle;
    std::memcpy(handle.bytes.data(), &shared, sizeof shared);
    return handle;
  }
  void* open_peer(const PeerHandle& handle) override {
    may_fail("open_peer");
    Shared shared;
    std::memcpy(&shared, handle.bytes.data(), sizeof shared);
    const std::string path =
        "/proc/" + std::to_string(shared.process) + "/fd/" + std::to_string(shared.memory.file);
    const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    void* const memory = map(file, shared.memory.bytes);
    if (memory == MAP_FAILED) throw CudaError(cudaErrorMapBufferObjectFailed, "cudaIpcOpenMemHandle()");
    ::close(file);
    ++openings(memory, shared.memory.bytes);
    peers_[memory] = shared.memory.bytes;
    return memory;
  }
  void close_peer(void* memory) noexcept override {
    before_close();
    --openings(memory, peers_[memory]);
    ::munmap(memory, shared_bytes(peers_[memory]));
    peers_.erase(memory);
  }
  void copy(void* to, const void* from, size_t bytes, Stream) override {
    may_fail("copy");
    std::memcpy(to, from, bytes);
  }
  void fill(void* to, int byte, size_t bytes, Stream) override {
    may_fail("fill");
    if (capturing_) throw std::logic_error("a flush inside a capture");
    std::memset(to, byte, bytes);
    now_ms_ += flush_ms;
    ran.push_back({Ran::flush, nullptr, false, held_});
  }

  Stream create_stream() override { return ++live_streams, static_cast<FakeStream*>(this); }
  void destroy_stream(Stream) noexcept override { --live_streams; }
  void synchronize(Stream) override {
    may_fail("synchronize");
    if (context_lost) throw CudaError(cudaErrorIllegalAddress, "cudaStreamSynchronize()");
  }

  CudaEvent create_event() override { return may_fail("create_event"), ++live_events, new double(-1); }
  void destroy_event(CudaEvent event) noexcept override { --live_events, delete static_cast<double*>(event); }
  void record(CudaEvent event, Stream) override {
    may_fail("record"), *static_cast<double*>(event) = now_ms_;
  }
  double elapsed_ms(CudaEvent from, CudaEvent to) override {
    may_fail("elapsed_ms");
    return time_runs_backwards ? -1 : *static_cast<double*>(to) - *static_cast<double*>(from);
  }

  void begin_capture(Stream) override {
    may_fail("begin_capture");
    ++captures;
    capturing_ = true;
    current_.clear();
  }
  CapturedGraph end_capture(Stream) override {
    may_fail("end_capture");
    if (capture_fails) throw CudaError(cudaErrorStreamCaptureUnsupported, "cudaStreamEndCapture()");
    capturing_ = false;
    ++live_graphs;
    if (capture_sees_nothing) current_.clear();
    return {new Recorded(current_), current_.size()};
  }
  void abort_capture(Stream) noexcept override { capturing_ = false; }
  void upload(CudaGraph, Stream) override { may_fail("upload"); }
  void launch(CudaGraph graph, Stream) override {
    may_fail("launch");
    now_ms_ += graph_launch_ms;
    for (const Work& work : *static_cast<Recorded*>(graph)) run_now(work, true);
  }
  void destroy_graph(CudaGraph graph) noexcept override {
    --live_graphs;
    delete static_cast<Recorded*>(graph);
  }

  void begin_range(const std::string& name) override { ranges.push_back(name), ++open_ranges; }
  void end_range() override { --open_ranges; }
  size_t free_bytes() override { return properties.memory_bytes - used_by_others - allocated; }
  void stamp(ClockStamp* to, Stream) override {
    to->ns = uint64_t(now_ms_ * 1e6);
    to->cycles = uint64_t(now_ms_ * 1e3 * clock_mhz);
    to->multiprocessor = stamps_move ? ++stamps_ : 0;
  }
  void hold(Stream) override { may_fail("hold"), held_ = true; }
  void let_go() noexcept override { held_ = false; }
  void noop(Stream) override { work(nullptr); }
  void read(const void* data, size_t, void*, Stream) override { work(data); }
  void take(std::function<void()> work) override { enqueue({nullptr, std::move(work)}); }
  /// On the host, over the fake's memory; a capture records it.
  void run(const BlockWork& work, Stream) override {
    may_fail("run");
    enqueue({work.body.get(), [work] { work.on_host(work.body.get()); }});
  }

 private:
  struct Allocation {
    size_t bytes;
    int file;  // -1: not shareable
  };
  struct Shared {
    pid_t process;
    Allocation memory;
  };
  struct Work {
    const void* operand;
    std::function<void()> compute;
  };
  using Recorded = std::vector<Work>;

  /// Behind what is shared all processes count who has it open.
  static size_t shared_bytes(size_t bytes) { return (bytes + 7) / 8 * 8 + sizeof(std::atomic<int>); }
  static std::atomic<int>& openings(void* memory, size_t bytes) {
    return *reinterpret_cast<std::atomic<int>*>(static_cast<char*>(memory) + (bytes + 7) / 8 * 8);
  }
  static void* map(int file, size_t bytes) {
    return ::mmap(nullptr, shared_bytes(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  }

  void may_fail(const std::string& call) {
    while (call == hangs_at) ::pause();
    if (!failure || failure->call != call || --failure->nth > 0) return;
    const cudaError_t code = failure->code;
    failure.reset();
    if (is_fatal(code)) context_lost = true;
    throw CudaError(code, call.c_str());
  }

  void enqueue(const Work& work) {
    if (capturing_)
      current_.push_back(work);
    else
      run_now(work, false);
  }
  void run_now(const Work& work, bool from_graph) {
    work.compute();
    now_ms_ += work_ms;
    ran.push_back({Ran::work, work.operand, from_graph, held_});
  }

  double now_ms_ = 0;
  uint64_t stamps_ = 0;
  bool capturing_ = false, held_ = false;
  Recorded current_;
  std::map<void*, Allocation> allocations_;
  std::map<void*, size_t> peers_;
};

/// Enqueues one piece of fake work on its first operand.
class FakeKernel final : public PreparedKernel {
 public:
  explicit FakeKernel(FakeRuntime& runtime) : runtime_(runtime) {}
  void launch(Stream, std::span<void* const> operands, void*) override {
    runtime_.work(operands.empty() ? nullptr : operands[0]);
  }

 private:
  FakeRuntime& runtime_;
};

}  // namespace perfatlas
