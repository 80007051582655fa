// SPDX-License-Identifier: Apache-2.0
// What a search looks for and what it finds.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "perfatlas/estimate/estimate.h"
#include "perfatlas/search/candidates.h"
#include "perfatlas/search/grids.h"
#include "perfatlas/search/pick.h"
#include "perfatlas/search/statistic.h"
#include "perfatlas/serving/distribution.h"

namespace perfatlas {

/// Where the latencies of a search come from.
enum class StepModel {
  formulas,    // those of aiconfigurator 0.12
  simulation,  // of the scheduler (perfatlas simulate); the formulas and the closed form prune
};

struct SearchRequest {
  std::string model;          // id or path
  std::string system;         // "h200_sxm"
  std::string decode_system;  // of disaggregated decode workers; empty: system
  std::vector<estimate::Framework> frameworks;
  std::string version;  // of the only framework; empty: the current one
  aic::ViewOptions view;
  estimate::Workload workload;
  estimate::QuantChoice quant;
  int64_t drafted_tokens = 0;
  std::string attention_backend, moe_backend;
  estimate::MemoryLimits limits;
  bool chunked_prefill = false;
  bool aggregated = true, disaggregated = true;  // serving modes to search
  int total_gpus = 0;
  int64_t most_worker_gpus = 0;              // of one worker; 0: total_gpus
  LatencyTarget target;                      // what the user asks for
  std::optional<double> request_latency_ms;  // limits the whole request instead of TPOT
  StepModel step_model = StepModel::formulas;
  Statistic ttft_statistic = Statistic::mean;  // what the limit is on; the formulas know only means
  Statistic tpot_statistic = Statistic::mean;
  bool strict = false;  // only configurations within the limits are kept
  size_t top_n = 5;
};

/// A worker that runs prompts and decodes.
struct AggregatedChoice {
  std::shared_ptr<const estimate::Worker> worker;
  std::string version;
  estimate::AggregatedPoint point;
  estimate::AggregatedResult result;
};

/// Prefill workers that feed decode workers.
struct DisaggregatedChoice {
  struct Pool {
    std::shared_ptr<const estimate::Worker> worker;
    std::string version;
    int64_t batch = 1, workers = 1;
    estimate::StaticResult result;
  };
  Pool prefill, decode;
};

/// What the simulation says of a configuration, in milliseconds.
struct SimulatedTimes {
  Summary ttft_ms, tpot_ms;
};

/// A configuration with its figures, rounded to three decimals as result tables print them. Rates are those of one
/// replica.
struct Found {
  std::variant<AggregatedChoice, DisaggregatedChoice> choice;
  double ttft_ms = 0, tpot_ms = 0, request_latency_ms = 0;
  double requests_per_s = 0, tokens_per_s_gpu = 0, tokens_per_s_user = 0;
  double concurrency = 0;
  int replica_gpus = 0;
  double cluster_tokens_per_s_gpu = 0;      // GPUs left over by whole replicas idle
  std::string parallel;                     // of the worker; of the decode worker
  std::optional<SimulatedTimes> simulated;  // then the figures above are the simulation's
  bool aggregated() const { return std::holds_alternative<AggregatedChoice>(choice); }
};

/// A split of the model that gave nothing, and why.
struct Refusal {
  std::string parallel;
  WorkerRole role = WorkerRole::aggregated;
  enum class Kind {
    cannot_be_split,
    weights_do_not_fit,
    cache_too_small,
    no_data
  } kind = Kind::cannot_be_split;
  std::string reason;  // one line
};

/// Points that were looked at, so that "nothing found" can be explained.
struct SearchTally {
  size_t splits = 0;
  size_t points = 0;         // priced
  size_t beyond_memory = 0;  // priced or not: do not fit
  size_t without_data = 0;
  std::optional<double> least_ttft_ms, least_tpot_ms;  // of all points that fit
  std::vector<Refusal> refusals;
};

/// One framework in one serving mode.
struct Experiment {
  std::string name;  // "agg", "disagg"; with several frameworks "agg_vllm"
  estimate::Framework framework = estimate::Framework::trtllm;
  bool aggregated = true;
  std::string version;
  std::vector<Found> found;      // without repeats, most tokens per second and GPU first
  std::vector<size_t> frontier;  // positions in found, by ascending speed
  Picks picks;
  SearchTally tally;
  std::string nothing;  // why `found` is empty, and what to change
};

struct SearchResult {
  SearchRequest request;
  std::vector<Experiment> experiments;
  std::optional<size_t> chosen;  // experiment with the best pick; nothing when no experiment has one
  double seconds = 0;
};

/// The columns of result tables (aiconfigurator 0.12), figures rounded to three decimals, tokens/s/gpu_cluster last.
estimate::Row table_row(const SearchRequest& request, const Found& found);

/// What picking needs of a row; views into `found`.
PickRow pick_row(const Found& found);

/// To three decimals, halves to even.
double round3(double value);

}  // namespace perfatlas
