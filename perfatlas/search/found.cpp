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

/// The simulation's figures in the columns of the formulas', then its percentiles.
void put_simulated(const Found& found, estimate::Row& row) {
  for (auto& [name, cell] : row) {
    if (name == "ttft") cell = found.ttft_ms;
    if (name == "tpot") cell = found.tpot_ms;
    if (name == "request_latency") cell = found.request_latency_ms;
    if (name == "seq/s") cell = found.requests_per_s;
    if (name == "tokens/s/gpu") cell = found.tokens_per_s_gpu;
    if (name == "tokens/s/user") cell = found.tokens_per_s_user;
  }
  const Summary &ttft = found.simulated->ttft_ms, &tpot = found.simulated->tpot_ms;
  row.emplace_back("ttft_p90", round3(ttft.p90));
  row.emplace_back("ttft_p99", round3(ttft.p99));
  row.emplace_back("tpot_p90", round3(tpot.p90));
  row.emplace_back("tpot_p99", round3(tpot.p99));
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
  if (found.simulated) put_simulated(found, row);
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
