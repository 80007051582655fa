// SPDX-License-Identifier: Apache-2.0
// Which points of a serving configuration a search looks at: batch sizes, context-token budgets, latency targets.
// All lists are those of aiconfigurator 0.12 (Apache-2.0), so that both tools search the same space.
#pragma once

#include <optional>
#include <vector>

namespace perfatlas {

/// Batch sizes of an aggregated worker, ascending, none above `largest`: dense up to 16, steps growing to 32 at 480,
/// then 512, 768 and 1024.
std::vector<int> aggregated_batches(int largest = 512);

/// Batch sizes of a decode worker, ascending: 1 to 512 in 96 steps; a `largest` above 512 is one more.
std::vector<int> decode_batches(int largest = 512);

struct ContextTokenGrid {
  int isl = 0;  // prompt tokens of a request, REQUIRES: > 0
  int stride = 512;
  bool chunked_prefill = false;  // without it, whole prompts only
};

/// Prompt tokens that an aggregated step may carry, ascending, without repeats; always holds isl and 2 * isl.
std::vector<int> context_token_budgets(const ContextTokenGrid& grid);

/// TPOT targets of a Pareto curve in milliseconds: 1 to 19, then 20 to 295 in steps of 5.
std::vector<double> tpot_targets_ms();

/// A pair of latency limits in milliseconds.
struct LatencyTarget {
  double ttft_ms = 0;
  double tpot_ms = 0;
  bool operator==(const LatencyTarget&) const = default;
};

/// The ways to divide a limit on the whole request between TTFT and TPOT: tpot = (request - ttft) / (osl - 1).
/// `ttft_ms`: one more TTFT to try, 0.95 of the request when absent. REQUIRES: osl > 1, request_ms > 0.
std::vector<LatencyTarget> request_latency_targets(double request_ms, int osl, std::optional<double> ttft_ms);

/// GPUs that one replica of a disaggregated deployment may have, ascending: 1, 2, 4, 8 and the multiples of 8 up to
/// 128, none above `budget`. `wide`: some worker spans nodes for its experts; then every count up to 512.
std::vector<int> replica_sizes(int budget, bool wide);

}  // namespace perfatlas
