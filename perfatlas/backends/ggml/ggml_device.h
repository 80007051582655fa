// SPDX-License-Identifier: Apache-2.0
// CPU cores as llama.cpp uses them: ggml's CPU back end on the pinned OpenMP threads of a CpuDevice, and the buffer
// types into which llama.cpp repacks weights.
#pragma once

#include <ggml-backend.h>
#include <ggml-cpu.h>

#include <memory>
#include <string>

#include "perfatlas/backends/cpu/cpu_device.h"

namespace perfatlas {

/// "0.25.3": the library that is linked.
std::string ggml_library_version();

/// Where llama.cpp keeps a weight. For each it takes the first that has a kernel: amx, then repack, then plain.
///   amx     tiles of int8 products; where one row is multiplied, VNNI; float16 weights stay as they are (AVX-512)
///   repack  rows interleaved for AVX2 and AVX-512
///   plain   the layout of the file
enum class WeightBuffer { amx, repack, plain };

class GgmlDevice final : public CpuDevice {
 public:
  /// As CpuDevice.
  explicit GgmlDevice(std::string_view cores);

  /// ggml's CPU device, for ggml_backend_dev_supports_op().
  ggml_backend_dev_t backend_device() const { return backend_device_; }

  /// A buffer of a type, of no use for data: tensors that refer to it are computed by the type's kernels. Null for
  /// plain, and where this CPU or this build of ggml lacks the type.
  ggml_backend_buffer_t buffer(WeightBuffer kind) const;

  /// Kept from launch to launch, as llama.cpp does. With OpenMP its threads are those of the parallel regions.
  ggml_threadpool_t threadpool() const { return threadpool_.get(); }

 private:
  struct FreeBuffer {
    void operator()(ggml_backend_buffer_t buffer) const { ggml_backend_buffer_free(buffer); }
  };
  struct FreePool {
    void operator()(ggml_threadpool_t pool) const { ggml_threadpool_free(pool); }
  };
  using BufferPointer = std::unique_ptr<ggml_backend_buffer, FreeBuffer>;
  BufferPointer find_buffer(std::string_view type_name) const;

  ggml_backend_dev_t backend_device_ = nullptr;
  BufferPointer amx_, repack_;
  std::unique_ptr<ggml_threadpool, FreePool> threadpool_;
};

}  // namespace perfatlas
