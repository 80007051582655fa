// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/serving/confidence.h"

namespace perfatlas {

Confidence confidence_of(const AggregatedCase& served, const SimulationResult& result) {
  const Launch& launch = served.setup.launch;
  if (result.kv_bound) return {'D', "KV-bound: expect queueing, not a number", 0.597, 0.141};
  if (!launch.known()) {
    switch (launch.engine) {
      case ServingEngine::vllm:
        return {'C', "launch parameters assumed", 0.315, 0.153};
      case ServingEngine::sglang:
        return {'C', "launch parameters assumed", 0.189, 0.097};
      default:
        return {'C', "launch parameters assumed", 0.359, 0.110};
    }
  }
  if (served.attention_dp > 1)
    return {'B', "attention data parallelism: step prices look too high", 0.895, 0.564};
  if (served.setup.prices->source == PriceSource::transferred)
    return {'B', "step prices transferred, not measured", 0.303, 0.192};
  switch (launch.engine) {
    case ServingEngine::vllm:
      return {'A', "launch parameters known, prices measured", 0.190, 0.099};
    case ServingEngine::sglang:
      return {'A', "launch parameters known, prices measured", 0.184, 0.110};
    default:
      return {'A', "launch parameters known, prices measured", 0.199, 0.143};
  }
}

Confidence confidence_of(const DisaggregatedCase&) {
  return {'B', "disaggregated pools: hand-over, routing and KV limits are not modelled", 0.531, 0.135};
}

}  // namespace perfatlas
