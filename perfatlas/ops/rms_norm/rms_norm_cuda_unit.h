// SPDX-License-Identifier: Apache-2.0
// RMS normalisation as the compiled units of kernel libraries offer it.
#pragma once

#include "perfatlas/backends/device.h"
#include "perfatlas/ops/rms_norm/rms_norm.h"

namespace perfatlas {

/// Device memory of one launch.
struct RmsNormBuffers {
  void* x = nullptr;
  void* w = nullptr;
  void* out = nullptr;
};

/// Enqueues it. Throws Error.
using LaunchRmsNorm = void(const RmsNormBuffers& buffers, const RmsNorm& op, Stream stream);

}  // namespace perfatlas
