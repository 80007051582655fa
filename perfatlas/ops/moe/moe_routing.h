// SPDX-License-Identifier: Apache-2.0
// Which expert every token of a mixture-of-experts layer goes to, when nothing but a load distribution is given:
// what measurements of expert layers route with. The rules are those of the published aiconfigurator tables, so that
// a name in their distribution column means the same workload here. Everything is seeded and gives the same ids on
// every machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace perfatlas {

/// How counts that were cut off or rounded are made up for, see power_law_counts.
enum class Redistribution {
  per_rank,     // round-robin over ranks, each time the least loaded expert of the rank
  fixed_order,  // experts in one fixed order, the least loaded first, each filled before the next
};

/// A load distribution as a table names it:
///   balanced            every expert gets the same number of tokens (also written `uniform`)
///   power_law_A         loads drawn from a bounded power law of exponent A > 0, A != 1 (1 is singular: 1.01)
///   ..._fixed_order     the same with Redistribution::fixed_order; without it, per_rank
///   ..._eplb            experts placed on ranks by their load (EPLB, see place_experts), one slot per expert
/// Suffixes in this order: power_law_1.2_fixed_order_eplb.
struct LoadDistribution {
  double alpha = 0;  // 0: balanced
  Redistribution redistribution = Redistribution::per_rank;
  bool eplb = false;
  bool balanced() const { return alpha == 0; }
  bool operator==(const LoadDistribution&) const = default;
};

/// Nothing when `text` names no distribution.
std::optional<LoadDistribution> parse_distribution(std::string_view text);

/// REQUIRES everywhere below: all positive, topk <= experts, ep divides experts.
struct RoutingShape {
  int64_t tokens = 1;
  int64_t experts = 1;
  int64_t topk = 1;
  int64_t ep = 1;  // ranks; rank r holds experts [r, r + 1) * experts / ep
  int64_t experts_per_rank() const { return experts / ep; }
  int64_t assignments() const { return tokens * topk; }
};

/// Expert (or slot) of choice j of token i at [i * topk + j]. No token has one twice.
using ExpertIds = std::vector<int32_t>;

/// Even load: with stride = ceil(experts / topk), choice j of token i is expert (i + j*stride) mod experts; with fewer
/// tokens than stride, (floor(i*stride/tokens) + j*stride) mod experts, so that few tokens spread over all ranks.
/// Where topk*stride runs around so far that a token would meet an expert again, it takes the next free one.
ExpertIds balanced_ids(const RoutingShape& shape);

/// Even load over ranks that talk over one NVLink domain: with ep >= topk, groups of topk consecutive ranks take tokens
/// in turn, one choice per rank; with fewer ranks, choice j goes to rank j mod ep. REQUIRES: topk divides ep or ep <
/// topk.
ExpertIds balanced_rank_ids(const RoutingShape& shape);

/// Tokens per expert, drawn from a density ~ x^-alpha on [1, 0.8*tokens] ([0.01, 2] when there are not more
/// assignments than experts), scaled to the total and rounded; a count above `tokens` is cut off, because a token
/// takes an expert once, and the surplus is given to others. Their sum is exactly tokens*topk.
/// The rank with the most tokens has changed places with rank 0: what is measured is rank 0, and the slowest rank
/// decides how long the layer takes.
std::vector<int64_t> power_law_counts(const RoutingShape& shape, double alpha, Redistribution redistribution,
                                      uint64_t seed);

/// Tokens that take the given loads: experts by descending load, each in as many consecutive tokens as its count says,
/// first all first choices, then all second ones. So hot experts are first choices of runs of tokens.
/// REQUIRES: `counts` sum to tokens*topk, none exceeds `tokens`; may have another size than shape.experts (slots).
ExpertIds assign_tokens(const RoutingShape& shape, const std::vector<int64_t>& counts);

/// Expert-parallel load balancing: replicated experts in slots, slots on ranks.
struct SlotPlacement {
  std::vector<int64_t> expert;  // of each slot; rank r holds slots [r, r + 1) * slots / ep
  std::vector<int64_t> counts;  // tokens per slot; sum tokens*topk, none above `tokens`
};

/// `slots` - experts further replicas, each for the expert with the most load per replica; then slots by descending
/// load to the least loaded rank that has room; the most loaded rank becomes rank 0. A slot's load is its expert's
/// divided by the replicas, rounded down; the remainder goes to the largest fractions.
/// REQUIRES: `counts` as of power_law_counts; slots >= experts, a multiple of ep.
SlotPlacement place_experts(const RoutingShape& shape, const std::vector<int64_t>& counts, int64_t slots);

/// The ids of every token for a distribution. With EPLB they are slots, as many as experts.
ExpertIds route_tokens(const RoutingShape& shape, const LoadDistribution& distribution, uint64_t seed);

/// What rank 0 sees: the tokens with at least one choice there.
struct RankView {
  std::vector<int32_t> tokens;  // ascending
  ExpertIds ids;                // [tokens.size(), topk]; -1: on another rank
  std::vector<int64_t> counts;  // tokens of each of its experts
};

/// REQUIRES: `ids` as made above, `local` experts (slots) on rank 0.
RankView rank_zero_view(const ExpertIds& ids, int64_t topk, int64_t local);

/// A router's output that makes any top-k choose `ids` with equal weights: per token the softmax of 1 for a chosen
/// expert and 0 for the others. [tokens, experts], row-major.
std::vector<float> logits_of(const ExpertIds& ids, int64_t topk, int64_t experts);

/// Expected load of rank 0 without drawing it.
struct ExpectedLoad {
  double assignments =
      0;  // (token, expert) pairs: the mean over ranks, or the exact number for few balanced tokens
  double experts = 0;  // of the rank's experts, how many get a token at all
};

/// Balanced: exact for fewer tokens than ceil(experts / topk), which may leave rank 0 with nothing to do; from there on
/// every expert has tokens. Power law: the share of the density that rounds to a token or more, and the experts that
/// make up for what rounding lost; at least one.
ExpectedLoad expected_load(const RoutingShape& shape, const LoadDistribution& distribution);

}  // namespace perfatlas
