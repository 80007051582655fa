// SPDX-License-Identifier: Apache-2.0
// Clocks of GPUs held at one frequency, for owners of a machine who ask for it. Nothing else changes clocks.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace perfatlas {

/// While it lives, the multiprocessors of the GPUs run at one clock (nvmlDeviceSetGpuLockedClocks). A process of its
/// own holds the lock and gives it back when this one ends, however that happens. NVML cannot say what was set before:
/// afterwards the clocks are free, as nvidia-smi --reset-gpu-clocks leaves them.
class ClockLock {
 public:
  /// `uuids` as NVML writes them, "GPU-5f9b...". Throws Error when a clock cannot be set, usually for want of
  /// privileges; then none is. REQUIRES: no other thread runs in this process.
  ClockLock(const std::vector<std::string>& uuids, unsigned mhz,
            const std::string& library = "libnvidia-ml.so.1");
  /// Waits until the clocks are free again.
  ~ClockLock();
  ClockLock(const ClockLock&) = delete;
  ClockLock& operator=(const ClockLock&) = delete;

 private:
  pid_t holder_ = -1;
  int alive_fd_ = -1;  // the holder waits for its end
};

}  // namespace perfatlas
