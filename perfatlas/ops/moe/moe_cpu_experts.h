// SPDX-License-Identifier: Apache-2.0
// The expert layer on a CPU: oneDNN products of single experts, shared out to threads in pieces.
#pragma once

#include <memory>
#include <string>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/kernel.h"
#include "perfatlas/ops/moe/moe.h"
#include "perfatlas/ops/moe/moe_cpu_matmul.h"

namespace perfatlas {

/// Why this CPU has no such kernel for the case, or empty.
std::string why_no_experts(const Moe& op, const CpuDevice& device, ExpertWeights weights);

/// REQUIRES: why_no_experts() is empty.
std::unique_ptr<PreparedKernel> make_experts(const Moe& op, CpuDevice& device, ExpertWeights weights);

}  // namespace perfatlas
