// SPDX-License-Identifier: Apache-2.0
// A model's sizes, bytes and ops on one rank, for people and for machines.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

#include "perfatlas/estimate/deployment.h"
#include "perfatlas/estimate/op_text.h"
#include "perfatlas/estimate/served_model.h"
#include "perfatlas/tables/aic_system.h"

namespace perfatlas::estimate {

/// A deployment as far as a model's own figures depend on it.
struct ModelQuestion {
  Framework framework = Framework::trtllm;
  Parallel parallel;
  QuantChoice quant;
  int64_t drafted_tokens = 0;
  const AicSystem* system = nullptr;  // null: a GPU with the types of the checkpoint
};

struct ModelReport {
  std::string name, architecture;
  Family family = Family::llama;
  ModelSizes sizes;
  Deployment deployment;
  double parameters = 0;          // of the whole model, as far as its prefill ops keep them
  double weight_bytes = 0;        // of one rank
  double kv_bytes_per_token = 0;  // of one rank, at a sequence of kKvProbeTokens
  double state_bytes = 0;         // of one rank and request, whatever its length
  std::vector<OpText> context, generation;
};

/// The length at which KV bytes per token are given: models with windows need less the longer a sequence is.
inline constexpr int64_t kKvProbeTokens = 4096;

/// Throws UsageError when the model cannot be split or quantised that way.
ModelReport report_model(const ServedModel& model, const ModelQuestion& question);

std::string model_text(const ModelReport& report);
nlohmann::json model_json(const ModelReport& report);

}  // namespace perfatlas::estimate
