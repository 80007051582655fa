// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/hw/measured_peaks.h"

#include <cmath>

namespace perfatlas {
namespace {

bool usable(const MeasuredPeaks::Peak& peak) { return std::isfinite(peak.value) && peak.value > 0; }

void set_measured(Figure& figure, const MeasuredPeaks::Peak& peak) {
  figure.measured = peak.value;
  figure.measured_rel_ci95.reset();
  if (std::isfinite(peak.rel_ci95) && peak.rel_ci95 >= 0) figure.measured_rel_ci95 = peak.rel_ci95;
}

}  // namespace

SystemSpec merge(SystemSpec spec, const MeasuredPeaks& peaks) {
  if (peaks.memory_bandwidth && usable(*peaks.memory_bandwidth))
    set_measured(spec.memory_bandwidth, *peaks.memory_bandwidth);
  if (peaks.llc_bandwidth && usable(*peaks.llc_bandwidth))
    set_measured(spec.llc_bandwidth, *peaks.llc_bandwidth);
  for (const auto& [type, peak] : peaks.flops)
    if (usable(peak)) set_measured(spec.flops[type], peak);
  return spec;
}

}  // namespace perfatlas
