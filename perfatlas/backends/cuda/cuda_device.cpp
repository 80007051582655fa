// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/cuda_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "perfatlas/backends/cuda/cuda_call.h"
#include "perfatlas/backends/cuda/launch_overhead.h"
#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/measure/launch_cost.h"

namespace perfatlas {
namespace {

/// The oldest capability that this worker's own kernels are compiled for, and the least free memory to begin with.
constexpr int kOldestSm = 80;
constexpr size_t kLeastFree = size_t(512) << 20;

void require_usable(const CudaProperties& found, size_t free_bytes, const std::string& id) {
  if (found.sm_version < kOldestSm)
    throw Error(fmt::format("{} ({}) has compute capability {}.{}; 8.0 is the oldest that is supported", id,
                            found.name, found.sm_version / 10, found.sm_version % 10));
  constexpr double gib = 1024.0 * 1024 * 1024;
  if (free_bytes < std::min(kLeastFree, found.memory_bytes / 2))
    throw Error(fmt::format("{} ({}) is full: {:.2f} of {:.2f} GiB are free; see nvidia-smi for who uses it",
                            id, found.name, double(free_bytes) / gib, double(found.memory_bytes) / gib));
}

/// What to do about an error of the first use of a device.
std::string advice(cudaError_t code) {
  switch (code) {
    case cudaErrorDevicesUnavailable:
      return "; is it in exclusive mode and used by another process? (nvidia-smi -q -d COMPUTE)";
    case cudaErrorECCUncorrectable:
      return "; it has uncorrectable memory errors (nvidia-smi -q -d ECC)";
    case cudaErrorSystemNotReady:
      return "; on machines with NVSwitch the fabric manager must run";
    default:
      return "";
  }
}

CudaProperties select_device(CudaRuntime& runtime, const std::string& id) {
  const int number = cuda_device_number(id);
  int count = 0;
  try {
    count = runtime.device_count();
  } catch (const Error& error) {
    throw Error(
        fmt::format("no CUDA device can be used: {}; install or update the NVIDIA driver", error.what()));
  }
  if (count == 0) throw Error("no CUDA device is visible: check nvidia-smi and CUDA_VISIBLE_DEVICES");
  if (number >= count)
    throw UsageError(
        fmt::format("device cuda:{} does not exist: this machine shows {} CUDA device{}, cuda:0{}", number,
                    count, count == 1 ? "" : "s", count == 1 ? "" : fmt::format(" to cuda:{}", count - 1)));
  try {
    CudaProperties found = runtime.select(number);
    require_usable(found, runtime.free_bytes(), id);
    return found;
  } catch (const CudaError& error) {
    throw Error(
        fmt::format("device cuda:{} cannot be used: {}{}", number, error.what(), advice(error.code())));
  }
}

}  // namespace

int cuda_device_number(const std::string& id) {
  const std::string_view text = id;
  const auto number = parse_integer(text.starts_with("cuda:") ? text.substr(5) : text);
  if (!number || *number < 0 || *number > 1023)
    throw UsageError(fmt::format("'{}' is no CUDA device; write cuda:0, or 0", id));
  return int(*number);
}

CudaDevice::CudaDevice(std::shared_ptr<CudaRuntime> runtime, const std::string& id,
                       const LibrarySearch& search)
    : runtime_(std::move(runtime)),
      properties_(select_device(*runtime_, id)),
      cublaslt_(search),
      cublas_(search),
      cudnn_(search),
      sensors_(search, properties_),
      module_folder_(std::filesystem::read_symlink("/proc/self/exe").parent_path().string()) {
  describe(id);
  stream_ = runtime_->create_stream();
}

CudaDevice::~CudaDevice() { runtime_->destroy_stream(stream_); }

void CudaDevice::describe(const std::string& id) {
  info_.id = fmt::format("cuda:{}", cuda_device_number(id));
  info_.name = properties_.name;
  // What others use is not ours: GPUs are shared.
  info_.memory_bytes = double(std::min(properties_.memory_bytes, runtime_->free_bytes()));
  info_.llc_bytes = double(properties_.l2_bytes);
  info_.versions = runtime_->versions();
  const auto add = [&](const char* key, const std::string& text) {
    if (!text.empty()) info_.versions[key] = text;
  };
  add("cuda", cublaslt_.version());
  add("cublaslt", cublaslt_.version());
  add("cublaslt_file", cublaslt_.path());
  add("cublas", cublas_.version());
  add("cublas_file", cublas_.path());
  add("cudnn", cudnn_.version());
  add("cudnn_file", cudnn_.path());
  add("driver", sensors_.driver_version().value_or(""));
  add("nvml_file", sensors_.library_path());
  add("device_uuid", properties_.uuid);
  add("sm", std::to_string(properties_.sm_version));
}

std::shared_ptr<void> CudaDevice::allocate(size_t bytes) {
  // cudaMalloc aligns to at least 256 bytes; an empty allocation would be null.
  return {runtime_->allocate(std::max<size_t>(bytes, 1)),
          [runtime = runtime_](void* memory) { runtime->release(memory); }};
}

void CudaDevice::copy_in(void* device, const void* host, size_t bytes) {
  runtime_->copy(device, host, bytes, stream_);
}
void CudaDevice::copy_out(void* host, const void* device, size_t bytes) {
  runtime_->copy(host, device, bytes, stream_);
}
void CudaDevice::copy(void* to, const void* from, size_t bytes) { runtime_->copy(to, from, bytes, stream_); }

SensorReading CudaDevice::read_sensors() {
  SensorReading reading = sensors_.read();
  if (const auto mhz = take_clock_mhz()) reading.clock_mhz = mhz;
  return reading;
}

std::optional<double> CudaDevice::idle_power_w() {
  if (std::exchange(idle_measured_, true)) return idle_power_w_;
  runtime_->synchronize(stream_);
  return idle_power_w_ = mean_power_w({&sensors_, 1}, energy_window_ms_);
}

void CudaDevice::measure_launching() {
  const LaunchOverhead overhead = measure_launch_overhead(*runtime_, stream_);
  least_sample_ms_ = kTimesLaunchCost * overhead.graph_us / 1e3;
  for (const auto& [name, us] :
       {std::pair{"graph_launch_us", overhead.graph_us}, std::pair{"graph_node_us", overhead.node_us},
        std::pair{"eager_launch_us", overhead.eager_us}})
    info_.versions[name] = fmt::format("{:.2f}", us);
}

std::string CudaDevice::kernels_run_by(const std::function<void()>& work) {
  std::vector<KernelActivity> kernels = cupti_->record(work);
  // What stands around every sample (device_kernels.cu).
  std::erase_if(kernels, [](const KernelActivity& kernel) {
    return kernel.name.find("hold_kernel") != kernel.name.npos ||
           kernel.name.find("stamp_kernel") != kernel.name.npos;
  });
  return kernels_text(kernels);
}

void CudaDevice::load_own_kernels() {
  stamps_ = allocate(2 * sizeof(ClockStamp));
  runtime_->stamp(static_cast<ClockStamp*>(stamps_.get()), stream_);
  runtime_->hold(stream_);
  runtime_->let_go();
  runtime_->synchronize(stream_);
}

std::unique_ptr<TimedBatch> CudaDevice::make_batch(const BatchRequest& request) {
  if (stamps_ == nullptr) load_own_kernels();
  CudaBatchContext context{.runtime = runtime_.get(),
                           .stream = stream_,
                           .stamps = static_cast<ClockStamp*>(stamps_.get()),
                           .clock = &clock_,
                           .rendezvous = rendezvous_};
  if (request.cache == CacheState::cold || request.evict_first) {
    // More than twice the L2, so that replacement that is not strictly least-recent evicts everything, too.
    constexpr size_t spare = size_t(1) << 20;
    context.flush.bytes = 2 * properties_.l2_bytes + spare;
    if (flush_ == nullptr) flush_ = allocate(context.flush.bytes);
    context.flush.memory = flush_.get();
  }
  return std::make_unique<CudaBatch>(context, request);
}

}  // namespace perfatlas
