// SPDX-License-Identifier: Apache-2.0
// Peak arithmetic of a device, measured with the kernels that are going to be measured.
#pragma once

#include "perfatlas/backends/kernel.h"
#include "perfatlas/hw/measured_peaks.h"
#include "perfatlas/schema/registry.h"

namespace perfatlas {

/// The best sustained rate: the 90th percentile, with the relative 95 % interval of the median (measure/statistics.h).
/// A bound must not lie below what kernels reach in a quieter moment; the very best sample may be luck of the clock.
/// REQUIRES: at least two, all positive.
MeasuredPeaks::Peak peak_of_rates(std::vector<double> rates);

/// FLOP/s of dense matrix products by operand type, hot: for every type with a kernel of the op "gemm" on this
/// device, the best of several square shapes. Takes about `budget_s` seconds in all; larger shapes are left out when
/// their share of the budget does not hold several launches or the memory does not hold their operands. A type whose
/// kernel fails on any of its shapes is absent: the rest of it would make too low a bound. Throws what a kernel threw
/// only when the device is lost.
std::map<DType, MeasuredPeaks::Peak> measure_gemm_peaks(Device& device, const OpRegistry& ops,
                                                        const KernelRegistry& kernels, double budget_s);

}  // namespace perfatlas
