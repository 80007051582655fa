// SPDX-License-Identifier: Apache-2.0
// What launching costs without any work, measured on this device in this process.
#pragma once

#include "perfatlas/backends/cuda/runtime.h"

namespace perfatlas {

/// Medians over repeated launches of a kernel that does nothing, timed as CudaBatch times. A sample of a graph of n
/// launches contains about graph_us + n * node_us that is not the op's own work; it is reported, never subtracted,
/// since a serving step pays node_us too.
struct LaunchOverhead {
  double graph_us = 0;  // fixed part of one graph launch
  double node_us = 0;   // per kernel inside a graph
  double eager_us = 0;  // per kernel launched eagerly, back to back
};

LaunchOverhead measure_launch_overhead(CudaRuntime& runtime, Stream stream);

}  // namespace perfatlas
