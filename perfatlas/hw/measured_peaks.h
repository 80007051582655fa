// SPDX-License-Identifier: Apache-2.0
// The peaks a worker measured on its device, and how they enter a system description.
#pragma once

#include <map>
#include <optional>

#include "perfatlas/hw/system_spec.h"

namespace perfatlas {

struct MeasuredPeaks {
  struct Peak {
    double value = 0;  // bytes/s or FLOP/s
    double rel_ci95 = 0;
  };
  std::optional<Peak> memory_bandwidth, llc_bandwidth;
  std::map<DType, Peak> flops;
};

/// `spec` with every peak in `peaks` as its measured figure. Data-sheet figures and measurements of other peaks
/// stay. A peak that is not a positive finite number is a failed measurement and leaves the figure as it was.
SystemSpec merge(SystemSpec spec, const MeasuredPeaks& peaks);

}  // namespace perfatlas
