// SPDX-License-Identifier: Apache-2.0
// Peaks of a CPU device, measured.
#pragma once

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/kernel.h"
#include "perfatlas/hw/measured_peaks.h"
#include "perfatlas/schema/registry.h"

namespace perfatlas {

struct ReadBandwidths {
  MeasuredPeaks::Peak memory;  // bytes/s
  MeasuredPeaks::Peak caches;  // bytes/s
};

/// memory: all threads read a buffer of over four times `llc_bytes` once per sample, in order, and write nothing: what
/// streaming weights sees (the copy and triad of STREAM count stores as well and come out lower).
/// caches: the same over buffers that stay in the caches, the best of several sizes from 1 MiB per thread to a quarter
/// of `llc_bytes`: activations that fit a private cache move faster than the shared one delivers, and the speed of
/// light must not lie below what they reach.
/// Takes about `budget_s` seconds, but at least two passes of each. Throws OutOfMemory when the buffer does not fit.
ReadBandwidths measure_read_bandwidths(CpuDevice& device, double llc_bytes, double budget_s);

/// measure_read_bandwidths() and measure_gemm_peaks(), half of `budget_s` each. Bandwidths are absent when the size of
/// the last-level cache is unknown or the buffer does not fit: a smaller one would measure the cache.
MeasuredPeaks measure_cpu_peaks(CpuDevice& device, const OpRegistry& ops, const KernelRegistry& kernels,
                                double budget_s);

}  // namespace perfatlas
