// SPDX-License-Identifier: Apache-2.0
// The causal convolution on a CPU. No library has it: oneDNN convolves depthwise, but without a running state.
#pragma once

#include <memory>
#include <string>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/kernel.h"
#include "perfatlas/ops/mamba2/causal_conv.h"

namespace perfatlas {

/// Why no CPU kernel convolves `shape`, or empty.
std::string why_no_conv(const CausalConvShape& shape);

/// With AVX-512 and its bf16 extension. REQUIRES: the CPU has them; why_no_conv is empty.
std::unique_ptr<PreparedKernel> make_vector_conv(const CausalConvShape& shape, CpuDevice& device);

/// For any CPU. REQUIRES: why_no_conv is empty.
std::unique_ptr<PreparedKernel> make_portable_conv(const CausalConvShape& shape, CpuDevice& device);

}  // namespace perfatlas
