// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/found.h"

#include <cmath>

namespace perfatlas {
namespace {

estimate::EstimateRequest estimate_request(const SearchRequest& request) {
  estimate::EstimateRequest e;
  e.model = request.model;
  e.system = request.system;
  e.decode_system = request.decode_system;
  e.workload = request.workload;
  return e;
}

}  // namespace

estimate::Row table_row(const SearchRequest& request, const Found& found) {
  const estimate::EstimateRequest e = estimate_request(request);
  estimate::Row row;
  if (const auto* choice = std::get_if<AggregatedChoice>(&found.choice)) {
    row = aggregated_row(e, *choice->worker, choice->version, choice->point, choice->result);
  } else {
    const auto& [prefill, decode] = std::get<DisaggregatedChoice>(found.choice);
    row = disaggregated_row(
        e, {prefill.worker.get(), prefill.version, prefill.batch, prefill.workers, prefill.result},
        {decode.worker.get(), decode.version, decode.batch, decode.workers, decode.result});
  }
  std::erase_if(row, [](const auto& column) { return column.first == "power_coverage"; });
  for (auto& [name, cell] : row) {
    if (double* value = std::get_if<double>(&cell)) *value = round3(*value);
    if (name == "tokens/s/gpu_cluster") cell = found.cluster_tokens_per_s_gpu;
  }
  return row;
}

PickRow pick_row(const Found& found) {
  return {.parallel = found.parallel,
          .cluster_tokens_per_s_gpu = found.cluster_tokens_per_s_gpu,
          .tokens_per_s_user = found.tokens_per_s_user,
          .tokens_per_s_gpu = found.tokens_per_s_gpu,
          .tpot_ms = found.tpot_ms,
          .request_latency_ms = found.request_latency_ms,
          .requests_per_s = found.requests_per_s,
          .concurrency = found.concurrency,
          .replica_gpus = found.replica_gpus};
}

double round3(double value) { return std::nearbyint(value * 1000) / 1000; }

}  // namespace perfatlas
