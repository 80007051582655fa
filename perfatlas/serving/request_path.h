// SPDX-License-Identifier: Apache-2.0
// The request path of a workload, from the constants.
#pragma once

#include "perfatlas/serving/constants.h"
#include "perfatlas/serving/request.h"
#include "perfatlas/serving/workload.h"

namespace perfatlas {

/// Half of kRequestPath on each side; prompts are charged by kPromptPath: drawn lengths all for the longest one (the
/// constants were fitted that way), traced ones each for its own. `path_ms` and `prompt_path_ms` as those constants.
inline RequestPath request_path(const Workload& workload, double path_ms = kRequestPath.value,
                                double prompt_path_ms = kPromptPath.value) {
  const double per_token = prompt_path_ms / 1000;
  const bool traced = std::holds_alternative<std::shared_ptr<TraceSource>>(workload.arrivals);
  return {.front_ms = path_ms / 2 + (traced ? 0 : per_token * double(workload.input.longest)),
          .front_ms_per_token = traced ? per_token : 0,
          .back_ms = path_ms / 2};
}

/// Of disaggregated pools: request path and hand-over together, half on each side.
inline RequestPath disaggregated_path(double path_ms = kRequestPath.value,
                                      double hand_over_ms = kHandOver.value) {
  const double half_ms = (path_ms + hand_over_ms) / 2;
  return {.front_ms = half_ms, .back_ms = half_ms};
}

}  // namespace perfatlas
