// SPDX-License-Identifier: Apache-2.0
// For tests of CUDA kernels without a GPU: one case against the reference, by every kernel that runs on the host, over
// a runtime whose device memory is host memory (perfatlas's own kernels, and vendor libraries with a stand-in).
#pragma once

#include <gtest/gtest.h>

#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/backends/cuda/fake_runtime.h"
#include "perfatlas/backends/harness_failures_test.h"

namespace perfatlas {

class CudaKernelChecks : public testing::Test {
 protected:
  /// `sm_version` 80: no unit of a template library runs, in a build for Hopper, compositions take plain kernels.
  explicit CudaKernelChecks(void (*add_kernels)(KernelRegistry&), int sm_version = 90)
      : runtime_(std::make_shared<FakeRuntime>()), device_(on_capability(sm_version), "cuda:0", fakes()) {
    add_kernels(kernels_);
  }

  /// What is wrong, empty when nothing is. Counts the kernels that took the case in `checked_`. Kernels of template
  /// libraries and cuDNN are left out: their code is for the device alone.
  template <class Op>
  std::string failures_of(const Op& op) {
    std::vector<const KernelEntry*> on_host = kernels_.of(Op::info.id, "cuda");
    std::erase_if(on_host, [](const KernelEntry* kernel) {
      return kernel->name.starts_with("flashinfer_") || kernel->name.starts_with("cutlass_") ||
             kernel->name.starts_with("cudnn_");
    });
    return failures_of_kernels(op, on_host, device_, checked_);
  }

  /// Why each kernel of the op refuses the case; empty for those that take it.
  template <class Op>
  std::vector<std::string> reasons(const Op& op) {
    return reasons_of_kernels(op, kernels_.of(Op::info.id, "cuda"), device_);
  }

  std::shared_ptr<FakeRuntime> runtime_;
  CudaDevice device_;
  KernelRegistry kernels_;
  int checked_ = 0;

 private:
  std::shared_ptr<FakeRuntime> on_capability(int sm_version) {
    runtime_->properties.sm_version = sm_version;
    return runtime_;
  }
  static LibrarySearch fakes() { return {{{PERFATLAS_FAKE_LIBRARIES, false}}}; }
};

}  // namespace perfatlas
