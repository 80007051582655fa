// SPDX-License-Identifier: Apache-2.0
// The price tables of an engine on a machine whose ops were measured here: steps as sums of answers of placed tables.
#pragma once

#include <string>
#include <vector>

#include "perfatlas/db/database.h"
#include "perfatlas/models/model.h"
#include "perfatlas/serving/price_tables.h"

namespace perfatlas {

/// The steps that prices are wanted for. Grids are powers of two up to the sizes.
struct StepRange {
  int64_t step_tokens = 2048;    // prompt tokens of one step
  int64_t prompt_tokens = 2048;  // of one prompt, and KV tokens of one sequence
  int64_t sequences = 8;         // decoding at once
  /// As llama.cpp: what follows the last layer's attention is computed for the last token of a prompt alone.
  bool last_layer_cut = false;
};

struct TablePrices {
  PriceTables prices;
  std::vector<std::string> left_out;  // ops of the step that the back end has no table of, by name
};

/// Every step is the sum of its ops' answers (docs/additivity.md). Ops of which the tables hold nothing at all are left
/// out and named. `options` choose system, back end and version. Throws Error for a single case without an answer, with
/// the reason, and when nothing of the step is in the tables. REQUIRES: model.why_not(ranks) is empty.
TablePrices table_prices(const Model& model, const Parallelism& ranks, Database& tables,
                         const QueryOptions& options, const StepRange& range);

}  // namespace perfatlas
