// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/runtime.h"

#include <fmt/format.h>
#include <nvtx3/nvToolsExt.h>

#include <atomic>
#include <bit>

#include "perfatlas/backends/cuda/cuda_call.h"
#include "perfatlas/backends/cuda/device_kernels.h"

namespace perfatlas {
namespace {

cudaStream_t to_stream(Stream stream) { return static_cast<cudaStream_t>(stream); }
cudaEvent_t to_event(CudaEvent event) { return static_cast<cudaEvent_t>(event); }
cudaGraphExec_t to_graph(CudaGraph graph) { return static_cast<cudaGraphExec_t>(graph); }

/// NVML's spelling of a device's UUID.
std::string uuid_text(const cudaUUID_t& uuid) {
  std::string text = "GPU-";
  for (size_t i = 0; i < sizeof(uuid.bytes); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", static_cast<unsigned char>(uuid.bytes[i]));
  }
  return text;
}

/// 13000 is "13.0".
std::string version_text(int version) { return fmt::format("{}.{}", version / 1000, version % 1000 / 10); }

class LinkedCudaRuntime final : public CudaRuntime {
 public:
  ~LinkedCudaRuntime() override {
    if (flag_ != nullptr) PERFATLAS_CUDA_NOEXCEPT(cudaFreeHost(const_cast<uint32_t*>(flag_)));
  }

  int device_count() override {
    int count = 0;
    const cudaError_t code = cudaGetDeviceCount(&count);
    if (code == cudaErrorNoDevice) return 0;
    check_cuda(code, "cudaGetDeviceCount()");
    return count;
  }

  CudaProperties select(int device) override {
    PERFATLAS_CUDA(cudaSetDevice(device));
    return properties_of(device);
  }

  CudaProperties properties_of(int device) override {
    cudaDeviceProp found{};
    PERFATLAS_CUDA(cudaGetDeviceProperties(&found, device));
    char bus_id[32] = "";
    PERFATLAS_CUDA(cudaDeviceGetPCIBusId(bus_id, sizeof bus_id, device));
    return {.name = found.name,
            .uuid = uuid_text(found.uuid),
            .pci_bus_id = bus_id,
            .sm_version = 10 * found.major + found.minor,
            .multiprocessors = found.multiProcessorCount,
            .memory_bytes = found.totalGlobalMem,
            .l2_bytes = size_t(found.l2CacheSize)};
  }

  std::map<std::string, std::string> versions() override {
    int driver = 0, runtime = 0;
    PERFATLAS_CUDA(cudaDriverGetVersion(&driver));
    PERFATLAS_CUDA(cudaRuntimeGetVersion(&runtime));
    return {{"driver_cuda", version_text(driver)}, {"cudart", version_text(runtime)}};
  }

  bool lost() noexcept override {
    const cudaError_t code = cudaDeviceSynchronize();
    // A call that failed leaves its error behind, which the next checked launch would take for its own.
    static_cast<void>(cudaGetLastError());
    return is_fatal(code);
  }

  void* allocate(size_t bytes) override {
    void* memory = nullptr;
    const cudaError_t code = cudaMalloc(&memory, bytes);
    if (code == cudaErrorMemoryAllocation) {
      static_cast<void>(cudaGetLastError());  // not sticky: the next call starts clean
      size_t free_bytes = 0, total_bytes = 0;
      PERFATLAS_CUDA(cudaMemGetInfo(&free_bytes, &total_bytes));
      constexpr double gib = 1024.0 * 1024 * 1024;
      throw OutOfMemory(fmt::format("out of memory: {:.2f} GiB asked for, {:.2f} GiB of {:.2f} GiB are free",
                                    double(bytes) / gib, double(free_bytes) / gib,
                                    double(total_bytes) / gib));
    }
    check_cuda(code, "cudaMalloc()");
    return memory;
  }
  void release(void* memory) noexcept override { PERFATLAS_CUDA_NOEXCEPT(cudaFree(memory)); }

  void copy(void* to, const void* from, size_t bytes, Stream stream) override {
    PERFATLAS_CUDA(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, to_stream(stream)));
    if (!on_device(to) || !on_device(from)) synchronize(stream);
  }
  void fill(void* to, int byte, size_t bytes, Stream stream) override {
    PERFATLAS_CUDA(cudaMemsetAsync(to, byte, bytes, to_stream(stream)));
  }

  PeerHandle export_memory(void* memory) override {
    static_assert(sizeof(PeerHandle) == sizeof(cudaIpcMemHandle_t));
    cudaIpcMemHandle_t handle;
    PERFATLAS_CUDA(cudaIpcGetMemHandle(&handle, memory));
    return std::bit_cast<PeerHandle>(handle);
  }
  void* open_peer(const PeerHandle& handle) override {
    void* memory = nullptr;
    PERFATLAS_CUDA(cudaIpcOpenMemHandle(&memory, std::bit_cast<cudaIpcMemHandle_t>(handle),
                                        cudaIpcMemLazyEnablePeerAccess));
    return memory;
  }
  void close_peer(void* memory) noexcept override { PERFATLAS_CUDA_NOEXCEPT(cudaIpcCloseMemHandle(memory)); }

  Stream create_stream() override {
    cudaStream_t stream = nullptr;
    PERFATLAS_CUDA(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    return stream;
  }
  void destroy_stream(Stream stream) noexcept override {
    PERFATLAS_CUDA_NOEXCEPT(cudaStreamDestroy(to_stream(stream)));
  }
  void synchronize(Stream stream) override { PERFATLAS_CUDA(cudaStreamSynchronize(to_stream(stream))); }

  CudaEvent create_event() override {
    cudaEvent_t event = nullptr;
    PERFATLAS_CUDA(cudaEventCreate(&event));
    return event;
  }
  void destroy_event(CudaEvent event) noexcept override {
    PERFATLAS_CUDA_NOEXCEPT(cudaEventDestroy(to_event(event)));
  }
  void record(CudaEvent event, Stream stream) override {
    PERFATLAS_CUDA(cudaEventRecord(to_event(event), to_stream(stream)));
  }
  double elapsed_ms(CudaEvent from, CudaEvent to) override {
    float ms = 0;
    PERFATLAS_CUDA(cudaEventElapsedTime(&ms, to_event(from), to_event(to)));
    return double(ms);
  }

  void begin_capture(Stream stream) override {
    // Thread-local: a launch that allocates or synchronises breaks its contract and makes the capture fail.
    PERFATLAS_CUDA(cudaStreamBeginCapture(to_stream(stream), cudaStreamCaptureModeThreadLocal));
  }
  CapturedGraph end_capture(Stream stream) override {
    cudaGraph_t graph = nullptr;
    PERFATLAS_CUDA(cudaStreamEndCapture(to_stream(stream), &graph));
    CapturedGraph captured;
    cudaGraphExec_t executable = nullptr;
    cudaError_t code = cudaGraphGetNodes(graph, nullptr, &captured.nodes);
    if (code == cudaSuccess) code = cudaGraphInstantiate(&executable, graph, 0);
    PERFATLAS_CUDA_NOEXCEPT(cudaGraphDestroy(graph));
    check_cuda(code, "cudaGraphInstantiate()");
    captured.graph = executable;
    return captured;
  }
  void abort_capture(Stream stream) noexcept override {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    PERFATLAS_CUDA_NOEXCEPT(cudaStreamIsCapturing(to_stream(stream), &status));
    if (status != cudaStreamCaptureStatusNone) {
      cudaGraph_t graph = nullptr;
      PERFATLAS_CUDA_NOEXCEPT(cudaStreamEndCapture(to_stream(stream), &graph));
      if (graph != nullptr) PERFATLAS_CUDA_NOEXCEPT(cudaGraphDestroy(graph));
    }
    PERFATLAS_CUDA_NOEXCEPT(cudaGetLastError());
  }
  void upload(CudaGraph graph, Stream stream) override {
    PERFATLAS_CUDA(cudaGraphUpload(to_graph(graph), to_stream(stream)));
  }
  void launch(CudaGraph graph, Stream stream) override {
    PERFATLAS_CUDA(cudaGraphLaunch(to_graph(graph), to_stream(stream)));
  }
  void destroy_graph(CudaGraph graph) noexcept override {
    PERFATLAS_CUDA_NOEXCEPT(cudaGraphExecDestroy(to_graph(graph)));
  }

  void begin_range(const std::string& name) override { nvtxRangePushA(name.c_str()); }
  void end_range() override { nvtxRangePop(); }
  size_t free_bytes() override {
    size_t free = 0, total = 0;
    PERFATLAS_CUDA(cudaMemGetInfo(&free, &total));
    return free;
  }

  void stamp(ClockStamp* to, Stream stream) override { launch_stamp(to, to_stream(stream)); }
  void hold(Stream stream) override {
    if (flag_ == nullptr) make_flag();
    launch_hold(device_flag_, ++ticket_, uint64_t(kHoldTimeoutMs * 1e6), to_stream(stream));
  }
  void let_go() noexcept override {
    if (flag_ == nullptr) return;
    *flag_ = ticket_;
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
  void noop(Stream stream) override { launch_noop(to_stream(stream)); }
  void read(const void* data, size_t bytes, void* sink, Stream stream) override {
    launch_read(data, bytes, sink, to_stream(stream));
  }
  void run(const BlockWork& work, Stream stream) override { work.on_device(work.body.get(), stream); }

 private:
  static bool on_device(const void* memory) {
    cudaPointerAttributes attributes{};
    PERFATLAS_CUDA(cudaPointerGetAttributes(&attributes, memory));
    return attributes.type == cudaMemoryTypeDevice;
  }

  void make_flag() {
    void* host = nullptr;
    PERFATLAS_CUDA(cudaHostAlloc(&host, sizeof(uint32_t), cudaHostAllocMapped));
    flag_ = static_cast<volatile uint32_t*>(host);
    *flag_ = ticket_;
    void* device = nullptr;
    PERFATLAS_CUDA(cudaHostGetDevicePointer(&device, host, 0));
    device_flag_ = static_cast<const volatile uint32_t*>(device);
  }

  volatile uint32_t* flag_ = nullptr;  // the last ticket that was let go; seen by the device as device_flag_
  const volatile uint32_t* device_flag_ = nullptr;
  uint32_t ticket_ = 0;
};

}  // namespace

std::shared_ptr<CudaRuntime> make_cuda_runtime() { return std::make_shared<LinkedCudaRuntime>(); }

}  // namespace perfatlas
