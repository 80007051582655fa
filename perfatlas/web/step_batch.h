// SPDX-License-Identifier: Apache-2.0
// The body of POST /v1/step: batches of requests, each (new tokens, cached tokens), and their prices.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/serving/price_tables.h"

namespace perfatlas {

/// One request in a step: its new tokens, and those in the KV cache already.
using StepRequest = Chunk;

struct StepBody {
  std::string prices;  // name of the tables; may be empty
  bool many = false;   // "batches" was given, not "batch"
  std::vector<std::vector<StepRequest>> batches;
};

/// {"prices": "name", "batch": [[new, cached], ...]} or {"prices": "name", "batches": [[[new, cached], ...], ...]}.
/// Throws UsageError.
StepBody parse_step_body(const std::string& body);

/// The duration of one step in milliseconds. A request with one new token and something cached decodes, one without
/// anything cached is a whole prompt, others are chunks.
double step_ms(const PriceTables& prices, const std::vector<StepRequest>& batch);

}  // namespace perfatlas
