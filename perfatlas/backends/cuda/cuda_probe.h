// SPDX-License-Identifier: Apache-2.0
// What one GPU reaches at best, measured.
#pragma once

#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/backends/kernel.h"
#include "perfatlas/hw/measured_peaks.h"
#include "perfatlas/schema/registry.h"

namespace perfatlas {

/// Measures within about `budget_s` seconds:
///   memory_bandwidth  a kernel that reads a buffer of more than four times the L2 (at least 1 GiB) once: what
///                     streaming weights sees
///   llc_bandwidth     the same over a quarter of the L2, again and again
///   flops             measure_gemm_peaks() in backends/harness_peaks.h
/// Bandwidths are medians with the relative half-width of their 95 % interval. What does not fit is absent. Throws
/// Error when the device fails.
MeasuredPeaks measure_cuda_peaks(CudaDevice& device, const OpRegistry& ops, const KernelRegistry& kernels,
                                 double budget_s);

}  // namespace perfatlas
