// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/cupti_trace.h"

#include <cupti.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>

#include "perfatlas/backends/cuda/vendor_library.h"

namespace perfatlas {
namespace {

struct Api {
  static LibraryRequest request() {
    return {.name = "CUPTI",
            .files = {"libcupti.so.13", "libcupti.so.12"},
            .wheel_folders = {"cu13/lib", "cuda_cupti/lib"},
            .more_folders = {"/usr/local/cuda/extras/CUPTI"}};
  }
  DynamicLibrary library;
  decltype(cuptiActivityRegisterCallbacks)* callbacks = library.require("cuptiActivityRegisterCallbacks");
  decltype(cuptiActivityEnable)* enable = library.require("cuptiActivityEnable");
  decltype(cuptiActivityDisable)* disable = library.require("cuptiActivityDisable");
  decltype(cuptiActivityFlushAll)* flush = library.require("cuptiActivityFlushAll");
  decltype(cuptiActivityGetNextRecord)* next = library.require("cuptiActivityGetNextRecord");
  decltype(cuptiGetResultString)* result_text = library.require("cuptiGetResultString");
};

struct TimedKernel {
  uint64_t start_ns;
  KernelActivity kernel;
};

/// Where CUPTI's callbacks, which have no argument of ours, deliver while a trace is recorded: on the thread that
/// flushes or on one of CUPTI's own.
class Delivery {
 public:
  static Delivery& of_process() {
    static Delivery only;
    return only;
  }
  void begin(const Api& api, std::vector<TimedKernel>& kernels) {
    const std::lock_guard lock(access_);
    api_ = &api, kernels_ = &kernels;
  }
  void end() {
    const std::lock_guard lock(access_);
    kernels_ = nullptr;
  }
  /// What comes while nothing is recorded belongs to no trace.
  void take(uint8_t* buffer, size_t bytes) {
    const std::lock_guard lock(access_);
    CUpti_Activity* record = nullptr;
    while (kernels_ != nullptr && api_->next(buffer, bytes, &record) == CUPTI_SUCCESS) {
      if (record->kind != CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL) continue;
      // What is read lies at the same place in every version of the record since CUDA 11.
      const auto* kernel = reinterpret_cast<const CUpti_ActivityKernel10*>(record);
      kernels_->push_back(
          {kernel->start,
           {kernel->name == nullptr ? "" : kernel->name, double(kernel->end - kernel->start) / 1e3}});
    }
  }

 private:
  std::mutex access_;
  const Api* api_ = nullptr;
  std::vector<TimedKernel>* kernels_ = nullptr;
};

constexpr size_t kBufferBytes = size_t(1) << 20, kAlignment = 8;

void CUPTIAPI give_buffer(uint8_t** buffer, size_t* bytes, size_t* most_records) {
  *buffer = static_cast<uint8_t*>(std::aligned_alloc(kAlignment, kBufferBytes));
  *bytes = *buffer == nullptr ? 0 : kBufferBytes;
  *most_records = 0;  // as many as fit
}

void CUPTIAPI take_buffer(CUcontext, uint32_t, uint8_t* buffer, size_t, size_t valid_bytes) {
  Delivery::of_process().take(buffer, valid_bytes);
  std::free(buffer);
}

}  // namespace

struct CuptiTrace::State : VendorLibrary<Api> {
  explicit State(const LibrarySearch& search) : VendorLibrary(search) {
    if (reason().empty())
      succeeded(api().callbacks(&give_buffer, &take_buffer), "cuptiActivityRegisterCallbacks");
  }

  bool succeeded(CUptiResult result, const char* call) {
    if (result == CUPTI_SUCCESS) return true;
    const char* text = nullptr;
    api().result_text(result, &text);
    set_reason(fmt::format("{} failed: {}", call, text == nullptr ? "unknown" : text));
    return false;
  }
};

CuptiTrace::CuptiTrace(const LibrarySearch& search) : state_(std::make_unique<State>(search)) {}
CuptiTrace::~CuptiTrace() = default;

const std::string& CuptiTrace::reason() const { return state_->reason(); }
const std::string& CuptiTrace::path() const { return state_->path(); }

std::vector<KernelActivity> CuptiTrace::record(const std::function<void()>& work) {
  const Api& api = state_->api();
  std::vector<TimedKernel> found;
  if (!state_->succeeded(api.enable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL), "cuptiActivityEnable")) {
    work();
    return {};
  }
  Delivery::of_process().begin(api, found);
  const auto stop = [&] {
    state_->succeeded(api.flush(1), "cuptiActivityFlushAll");
    state_->succeeded(api.disable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL), "cuptiActivityDisable");
    Delivery::of_process().end();
  };
  try {
    work();
  } catch (...) {
    stop();
    throw;
  }
  stop();
  std::stable_sort(found.begin(), found.end(),
                   [](const TimedKernel& a, const TimedKernel& b) { return a.start_ns < b.start_ns; });
  std::vector<KernelActivity> kernels;
  for (TimedKernel& one : found) kernels.push_back(std::move(one.kernel));
  return kernels;
}

std::string kernels_text(const std::vector<KernelActivity>& kernels) {
  std::string text;
  for (const KernelActivity& kernel : kernels)
    text += fmt::format("{}{} ({:.2f} us)", text.empty() ? "kernels: " : ", ", kernel.name, kernel.us);
  return text;
}

}  // namespace perfatlas
