// SPDX-License-Identifier: Apache-2.0
// What is known of the serving frameworks beyond their kernels: memory and scheduling, as constants.
// All figures are those of aiconfigurator 0.12.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "perfatlas/estimate/deployment.h"
#include "perfatlas/estimate/served_model.h"
#include "perfatlas/tables/aic_system.h"

namespace perfatlas::estimate {

/// How a framework decides how much memory the KV cache may have.
struct CacheRule {
  double fraction = 0.9;
  bool of_free =
      false;  // of what weights and activations leave; else of the whole GPU, which they come out of
  double reserved = 0;      // of the cache's memory, kept back
  double tolerance = 0.02;  // of the cache's memory, for what the model does not see
};

struct FrameworkRules {
  double min_activation_bytes;    // below this activations are not counted smaller
  double activation_overhead;     // factor on activations
  double other_overhead;          // factor on the system's other_mem
  bool fixed_token_capacity;      // activations are allocated for kMaxTokens, whatever the step
  bool drain_correction;          // the last three mixed steps have few decodes left
  bool expands_hidden_workspace;  // workspace of experts is as wide as the hidden state for every family
};

/// TensorRT-LLM's default max_num_tokens.
inline constexpr int64_t kTrtllmMaxTokens = 8192;

const FrameworkRules& rules_of(Framework framework);

/// Activation bytes per token and element of the widest activation, in units of two bytes. Between the known widths
/// 1, 2, 4 and 8 the next smaller one counts, which needs more.
double activation_coefficient(Framework framework, Family family, int64_t tp);

/// The rule for one worker that runs prompts and decodes. `version` is that of the framework.
CacheRule aggregated_cache_rule(Framework framework, const std::string& version);
/// The rule for a worker of one phase; sglang derives its fraction from the GPU's memory and the ranks.
CacheRule static_cache_rule(const Deployment& deployment, const std::string& version, double capacity_bytes);

}  // namespace perfatlas::estimate
