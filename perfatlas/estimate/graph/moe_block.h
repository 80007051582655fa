// SPDX-License-Identifier: Apache-2.0
// The feed-forward block of a layer with routed experts.
#pragma once

#include <string>

#include "perfatlas/estimate/phase_graph.h"

namespace perfatlas::estimate {

struct ExpertBlock {
  int64_t hidden = 0, inter = 0, topk = 0, experts = 0;
  int64_t shared_experts = 0;                              // each as wide as a routed one
  aic::QuantMode shared_quant = aic::QuantMode::bfloat16;  // of the shared ones
  aic::QuantMode quant = aic::QuantMode::bfloat16;         // of the routed ones
  std::string skew = "1.01";                               // alpha of the power law of expert loads
  bool gated = true;
};

/// The block of a model without block sizes of its own.
ExpertBlock expert_block(const PhaseGraph& graph, std::string skew);

/// How the dispatch is charged where families differ.
struct DispatchTraits {
  bool phase_aware = false;          // generation is told apart from context
  bool split_in_generation = false;  // context-parallel ranks also count in generation
  bool all_reduce_modeled = false;   // the all-reduce of attention is an op of its own
  bool untyped = false;              // volume does not shrink with the experts' type
};

aic::MoeDispatch dispatch(const PhaseGraph& graph, const ExpertBlock& block, const std::string& name,
                          bool before, const DispatchTraits& traits = {});
aic::Moe routed_experts(const PhaseGraph& graph, const ExpertBlock& block, const std::string& name);

/// Experts inside one node: router, shared experts, collective, routed experts, collective. `prefix` comes before every
/// name ("swa_").
void add_expert_block(PhaseGraph& graph, const ExpertBlock& block, double count,
                      const std::string& prefix = {}, const DispatchTraits& traits = {});

/// Experts over several nodes with an all-to-all library (Deployment::transport of this phase): router, whole shared
/// experts, all-to-all, expert compute, all-to-all. `router`: false where attention includes it. A phase without a
/// library, which its worker holds the weights of but never runs, has the block of add_expert_block().
void add_wide_expert_block(PhaseGraph& graph, const ExpertBlock& block, double count, bool router = true);

/// What the all-to-all library `transport` of this phase sends the tokens in; empty when it has no kernels for the
/// experts' type. `combine`: on the way back.
std::string transport_dtype(const std::string& transport, const Deployment& deployment, aic::QuantMode quant,
                            Phase phase, bool combine);

}  // namespace perfatlas::estimate
