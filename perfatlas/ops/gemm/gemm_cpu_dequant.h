// SPDX-License-Identifier: Apache-2.0
// Products whose weights are stored in 4 or 8 bits and multiplied in bf16: each thread turns a block of weight rows
// into bf16 in its second-level cache and multiplies by it at once, so that memory is read in the narrow type. oneDNN
// 3.2 multiplies bf16 by nothing narrower.
#pragma once

#include <memory>
#include <string>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/kernel.h"
#include "perfatlas/ops/gemm/gemm.h"

namespace perfatlas {

/// int8_wo, int4_wo, fp8 and fp8_static (whose activations are turned into bf16 first; e4m3 fits into bf16 exactly).
std::string why_no_dequant_matmul(const Gemm& gemm, const CpuDevice& device);

/// Throws Error when oneDNN cannot make the bf16 product.
std::unique_ptr<PreparedKernel> make_dequant_matmul(const Gemm& gemm, CpuDevice& device);

}  // namespace perfatlas
