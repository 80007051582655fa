// SPDX-License-Identifier: Apache-2.0
// The request path of a workload, from the constants.
#pragma once

#include "perfatlas/serving/constants.h"
#include "perfatlas/serving/request.h"
#include "perfatlas/serving/workload.h"

namespace perfatlas {

/// Half of kRequestPath on each side; prompts are charged by kPromptPath: drawn lengths all for the longest one (the
/// constants were fitted that way), traced ones each for its own.
inline RequestPath request_path(const Workload& workload) {
  constexpr double per_token = kPromptPath.value / 1000;
  const bool traced = std::holds_alternative<std::shared_ptr<TraceSource>>(workload.arrivals);
  return {.front_ms = kRequestPath.value / 2 + (traced ? 0 : per_token * double(workload.input.longest)),
          .front_ms_per_token = traced ? per_token : 0,
          .back_ms = kRequestPath.value / 2};
}

/// Of disaggregated pools: request path and hand-over together, half on each side.
inline RequestPath disaggregated_path() {
  constexpr double half_ms = (kRequestPath.value + kHandOver.value) / 2;
  return {.front_ms = half_ms, .back_ms = half_ms};
}

}  // namespace perfatlas
