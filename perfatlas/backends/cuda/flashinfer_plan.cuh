// SPDX-License-Identifier: Apache-2.0
// What the units of FlashInfer have in common: element types, and the tables its planning leaves on the device.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "perfatlas/backends/cuda/cuda_call.h"
#include "perfatlas/backends/device.h"
#include "perfatlas/base/error.h"

namespace perfatlas {

/// Names in units.cmake: bf16, f16, fp8.
using bf16_t = __nv_bfloat16;
using f16_t = __half;
using fp8_t = __nv_fp8_e4m3;

/// Room for the tables of one plan: FlashInfer's Python front end uses 8 MiB, for batches beyond ours half of this.
inline constexpr size_t kPlanTableBytes = size_t(16) << 20;

/// FlashInfer plans on the host, once per step of an engine and not per layer, so that planning is not timed: it writes
/// tables of 32-bit integers (which block works on which piece of which sequence) and copies them to the device.
class FlashInferTables {
 public:
  explicit FlashInferTables(Device& device)
      : host_(kPlanTableBytes), on_device_(device.allocate(kPlanTableBytes)) {}

  void* host() { return host_.data(); }
  void* device() const { return on_device_.get(); }
  /// Where the table at `offset` of the plan lies.
  template <class T>
  T* at(int64_t offset) const {
    return reinterpret_cast<T*>(static_cast<char*>(on_device_.get()) + offset);
  }
  /// To be called when the plan is made: its copy has ended, the host side is no longer needed.
  void planned(Device& device) {
    device.synchronize();
    host_.clear();
    host_.shrink_to_fit();
  }

 private:
  std::vector<char> host_;
  std::shared_ptr<void> on_device_;
};

/// A row of int32 on the device.
inline std::shared_ptr<void> integers_on_device(Device& device, const std::vector<int32_t>& values) {
  std::shared_ptr<void> memory = device.allocate(values.size() * sizeof(int32_t));
  device.copy_in(memory.get(), values.data(), values.size() * sizeof(int32_t));
  return memory;
}

/// 0, step, 2*step ... count*step: the bounds of pieces of equal length.
inline std::vector<int32_t> equal_pieces(int64_t count, int64_t step) {
  std::vector<int32_t> bounds(size_t(count) + 1);
  for (int64_t i = 0; i <= count; ++i) bounds[size_t(i)] = int32_t(i * step);
  return bounds;
}

/// FlashInfer throws std::runtime_error subclasses and returns CUDA errors; both become Error with the step's name.
template <class Call>
void check_flashinfer(const char* what, const Call& call) {
  try {
    check_cuda(call(), what);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(std::string(what) + ": " + error.what());
  }
}

}  // namespace perfatlas
