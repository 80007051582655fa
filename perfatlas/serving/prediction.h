// SPDX-License-Identifier: Apache-2.0
// From a question about a deployment to a judged prediction: what the command line and the HTTP service both ask.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "perfatlas/serving/confidence.h"
#include "perfatlas/serving/simulation.h"

namespace perfatlas {

/// Worker counts of disaggregated pools.
struct DisaggregatedWorkers {
  std::optional<int64_t> prefill, decode;
  int64_t prefill_attention_dp = 1, decode_attention_dp = 1;
};

struct ServingQuestion {
  std::string name;  // for the answer; empty: the price tables' identity
  ServingEngine engine = ServingEngine::vllm;
  LaunchOptions launch;
  Workload workload;
  int64_t attention_dp = 1;
  std::optional<double> kv_capacity_tokens;   // per rank; absent: unlimited
  std::optional<int64_t> max_seq_len;         // tokens of a request that engines take; absent: the model's
  std::optional<double> step_overhead_ms;     // absent: constants.h
  std::optional<RequestPath> path;            // absent: constants.h
  std::shared_ptr<const PriceTables> prices;  // of the engine, or of the prefill workers
  std::shared_ptr<const PriceTables> decode_prices;   // of the decode workers; absent: as prices
  std::optional<DisaggregatedWorkers> disaggregated;  // absent: one engine does both
};

/// Tokens of a request, prompt and output: what the engines were started with, else what the model was made for.
/// Absent: not known. REQUIRES: question.prices.
std::optional<int64_t> longest_request(const ServingQuestion& question);

/// Throws UsageError when the longest request of drawn lengths is beyond that; traces are checked as they are read
/// (trace_file.h). predict() does not ask: measured rows may be beyond. REQUIRES: question.prices.
void check_context(const ServingQuestion& question);

/// One simulated case with what a reader needs to judge it.
struct Prediction {
  std::string name;
  SimulationResult result;
  Confidence confidence;
  std::vector<std::string> given;    // "token_budget=8192"
  std::vector<std::string> assumed;  // the engine's defaults, and whatever else was not said
  std::string prices;                // identity and source of the tables
};

/// The engine of a question that is not disaggregated. The price tables are the question's own. Throws UsageError for a
/// launch parameter that the engine does not have.
AggregatedCase aggregated_case(const ServingQuestion& question);

/// Throws UsageError for what makes no sense: a launch parameter that the engine does not have, a disaggregated case
/// without worker counts, and whatever simulate() refuses. REQUIRES: question.prices.
Prediction predict(const ServingQuestion& question, const SimulationLimits& limits = {},
                   SimulationObserver* observer = nullptr);

}  // namespace perfatlas
