// SPDX-License-Identifier: Apache-2.0
// One serving configuration: what a user asks and what the estimator answers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "perfatlas/estimate/serving.h"
#include "perfatlas/estimate/session.h"

namespace perfatlas::estimate {

enum class ServingMode { aggregated, disaggregated, static_both, static_context, static_generation };

/// "agg", "disagg", "static", "static_ctx", "static_gen".
std::string_view name_of(ServingMode mode);
/// Throws UsageError listing the known ones.
ServingMode serving_mode_from_name(std::string_view name);

/// The workers of one kind.
struct Pool {
  Parallel parallel;
  std::optional<int64_t> batch;    // requests at once on one attention replica
  std::optional<int64_t> workers;  // of this kind
  MemoryLimits limits;
};

struct EstimateRequest {
  std::string model;
  ServingMode mode = ServingMode::aggregated;
  std::string system;
  std::string decode_system;  // empty: system
  Framework framework = Framework::trtllm;
  std::string version;
  aic::ViewOptions view;
  Workload workload;
  QuantChoice quant;
  int64_t drafted_tokens = 0;
  std::string attention_backend, moe_backend;
  Pool worker;                            // of all modes but disaggregated
  Pool prefill, decode;                   // of disaggregated
  std::optional<int64_t> context_tokens;  // per mixed step; absent: isl
  int64_t stride = 32;
  bool breakdown = true;  // list the time per op
};

/// A result table's cell; monostate: unknown.
using Cell = std::variant<std::monostate, int64_t, double, std::string>;
/// A row with the names of its columns, in order.
using Row = std::vector<std::pair<std::string, Cell>>;

/// Time per op of one step or phase.
struct Breakdown {
  std::string name;  // "mix_step", "genonly_step", "context", "generation", "prefill", "decode"
  OpPrices ops;
};

/// How far kernel prices may be off together, every op in the same direction; relative to their sum. Nine of ten
/// measured rows lie within (price_error.h). What scheduling adds to a figure is not in it.
struct Spread {
  double half_width = 0;
  double unbounded = 0;  // share of the sum that no interval is known of; it adds nothing to the half-width
};
Spread spread_of(const OpPrices& ops);
/// Of a decoded token in aggregated mode: it waits for steps with and without prompts in proportion to their number.
/// `decode` may be empty.
Spread token_spread(const OpPrices& mixed, const OpPrices& decode, const AggregatedResult& scheduling);

/// Where a latency comes from; shares of 1.
struct Origin {
  double measured = 0;     // tables and what follows from them between and beyond their points
  double formula = 0;      // memory traffic of small ops, and empirical estimates from the op's own table
  double transferred = 0;  // borrowed from another shape, mode or op
  double light = 0;        // speed of light
  double mixed = 0;        // sums and differences of several of these
};
Origin origin_of(const StepPrice& price);

struct Estimate {
  EstimateRequest request;
  std::string version;  // resolved
  Figures figures;      // of the worker; of the whole deployment in disaggregated mode
  Row columns;          // as the result tables name them
  std::vector<std::pair<std::string, Memory>> memory;  // "worker", or "prefill" and "decode"
  std::vector<double> capacity_bytes;                  // of the GPU, by entry of `memory`
  std::vector<Breakdown> breakdown;
  std::optional<Spread> ttft_spread, tpot_spread;  // of the steps behind the figure; needs a breakdown
  std::optional<AggregatedResult> scheduling;      // aggregated mode
  Origin origin;                                   // of the time that a request takes
  std::string memory_warning;                      // empty when everything fits
  std::string context_warning;                     // empty when prompt and output fit the model
  std::string ranks_warning;                       // empty when every asked width counts
  std::vector<aic::MoeCommFallback> comm_fallbacks;
};

/// Throws UsageError with what to change for a request that makes no sense, does not fit (aggregated and disaggregated
/// mode) or whose data is missing; the text then names op, table and key.
Estimate run_estimate(Session& session, const EstimateRequest& request);

/// The checks of run_estimate that need no tables. Throws UsageError.
void check_request(const EstimateRequest& request, const ModelSizes& sizes);
/// What to know about a request whose prompt fits the model but whose last output tokens do not, else empty.
/// REQUIRES: check_request passed.
std::string context_warning(const EstimateRequest& request, const ModelSizes& sizes);

// Rows of result tables, with the columns of aiconfigurator 0.12.
Row aggregated_row(const EstimateRequest& request, const Worker& worker, const std::string& version,
                   const AggregatedPoint& point, const AggregatedResult& result);
/// What a static estimate reports. With drafted tokens the figures are those of published tables: rounded to 0.001.
Figures static_figures(const StaticResult& result, const Workload& workload, StaticMode mode);
Row static_row(const EstimateRequest& request, const Worker& worker, const std::string& version,
               const StaticPoint& point, const StaticResult& result);

/// A pool of a disaggregated deployment with its result, for the row.
struct PoolResult {
  const Worker* worker = nullptr;
  std::string version;
  int64_t batch = 1, workers = 1;
  StaticResult result;
};
/// Everything is rounded to three decimals before and after the pools are put together, as published tables are.
Row disaggregated_row(const EstimateRequest& request, const PoolResult& prefill, const PoolResult& decode);

}  // namespace perfatlas::estimate
