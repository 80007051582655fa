// SPDX-License-Identifier: Apache-2.0
// A product of cuBLASLt on a device: the plan, its scales and, when the device asks for it, the chosen algorithm.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/backends/cuda/matmul_plan.h"

namespace perfatlas {

/// Why cuBLASLt cannot multiply this on the device, or empty. `type` is what the op calls the type, for the text; the
/// pointers of the problem are not looked at.
std::string why_no_matmul(const MatmulProblem& problem, std::string_view type, const CudaDevice& device);

class CudaMatmul {
 public:
  /// Allocates scales of one where the problem has some, and tries device.tuned_algorithms() algorithms on operands of
  /// its own. Throws Error when no algorithm supports the problem, OutOfMemory. `device` outlives it.
  CudaMatmul(MatmulProblem problem, CudaDevice& device);

  size_t workspace_bytes() const { return plan_->workspace_bytes(); }
  const std::string& chosen() const { return plan_->chosen(); }
  void enqueue(const MatmulPlan::Buffers& buffers, Stream stream) const { plan_->enqueue(buffers, stream); }

 private:
  std::shared_ptr<void> a_scales_, w_scales_;
  std::unique_ptr<MatmulPlan> plan_;
};

}  // namespace perfatlas
