// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/ggml/ggml_device.h"

#include <cstdio>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

constexpr size_t kTokenBytes = 64;

/// ggml tells of every weight that it repacks; only what goes wrong belongs in a worker's log.
void log_trouble(ggml_log_level level, const char* text, void*) {
  if (level == GGML_LOG_LEVEL_WARN || level == GGML_LOG_LEVEL_ERROR) std::fputs(text, stderr);
}

/// First of all, before anything of ggml speaks.
ggml_backend_dev_t find_device() {
  ggml_log_set(&log_trouble, nullptr);
  return ggml_backend_reg_dev_get(ggml_backend_cpu_reg(), 0);
}

ggml_threadpool_t make_threadpool(int threads) {
  ggml_threadpool_params params = ggml_threadpool_params_default(threads);
  const ggml_threadpool_t pool = ggml_threadpool_new(&params);
  if (pool == nullptr) throw Error("ggml has no thread pool for this device");
  return pool;
}

}  // namespace

std::string ggml_library_version() { return ggml_version(); }

GgmlDevice::GgmlDevice(std::string_view cores)
    : CpuDevice(cores),
      backend_device_(find_device()),
      amx_(find_buffer("AMX")),
      repack_(find_buffer("CPU_REPACK")),
      threadpool_(make_threadpool(threads())) {
  add_version("ggml", ggml_library_version());
}

GgmlDevice::BufferPointer GgmlDevice::find_buffer(std::string_view type_name) const {
  const auto list = reinterpret_cast<ggml_backend_dev_get_extra_bufts_t>(
      ggml_backend_reg_get_proc_address(ggml_backend_cpu_reg(), "ggml_backend_dev_get_extra_bufts"));
  if (list == nullptr) return nullptr;
  for (ggml_backend_buffer_type_t* type = list(backend_device_); type != nullptr && *type != nullptr; ++type)
    if (ggml_backend_buft_name(*type) == type_name)
      return BufferPointer(ggml_backend_buft_alloc_buffer(*type, kTokenBytes));
  return nullptr;
}

ggml_backend_buffer_t GgmlDevice::buffer(WeightBuffer kind) const {
  switch (kind) {
    case WeightBuffer::amx:
      return amx_.get();
    case WeightBuffer::repack:
      return repack_.get();
    case WeightBuffer::plain:
      break;
  }
  return nullptr;
}

}  // namespace perfatlas
