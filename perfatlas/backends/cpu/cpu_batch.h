// SPDX-License-Identifier: Apache-2.0
// Timed plain function calls.
#pragma once

#include "perfatlas/backends/device.h"

namespace perfatlas {

class CpuDevice;

class CpuBatch final : public TimedBatch {
 public:
  /// `device` outlives the batch. REQUIRES: a kernel, at least one operand set, launches >= 1.
  CpuBatch(const BatchRequest& request, CpuDevice& device);

  /// By the steady clock around all launches; in the cold state around each one, with an eviction before it that is
  /// not timed.
  double run_ms() override;
  LaunchMode mode() const override { return LaunchMode::direct; }

 private:
  void launch_next();

  BatchRequest request_;
  CpuDevice& device_;
  size_t next_ = 0;
};

}  // namespace perfatlas
