// SPDX-License-Identifier: Apache-2.0
// What search, recommend and explain ask for.
#pragma once

#include "perfatlas/cli/serving_options.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/search/search.h"

namespace perfatlas {

struct SearchArguments {
  std::string systems_path, backend = "trtllm", serving_mode = "auto", mode, transfers;
  std::string ttft, tpot, step_model;
  std::string nextn = "0";
  std::optional<double> nextn_accepted;
  SearchRequest request;
  QuantFlags quant;

  /// `gpus`: with --total-gpus and --top-n for a fixed budget.
  void add_to(CLI::App& verb);

  /// The request of what was typed. `default_mode`: of the database when --database-mode is not given. Throws
  /// UsageError.
  SearchRequest complete(aic::Mode default_mode) const;
};

/// Opens the published tables and the model folders, calls `run` with a session. Its exit code.
int with_session(const SearchArguments& arguments, const OpRegistry& ops,
                 const std::function<int(estimate::Session&)>& run);

}  // namespace perfatlas
