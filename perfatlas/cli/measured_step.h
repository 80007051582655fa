// SPDX-License-Identifier: Apache-2.0
// A model's step measured in place on a worker, beside its ops measured alone.
#pragma once

#include <string>
#include <vector>

#include "perfatlas/models/model.h"
#include "perfatlas/worker/messages.h"

namespace perfatlas {

struct StepArguments {
  std::string model, dtype, backend = "onednn", device, phase = "generation";
  std::vector<std::string> states = {"serving", "hot", "cold"};
  int64_t tp = 1, moe_ep = 1, batch = 1, isl = 128, cached = -1, layers = 0;
  int repetitions = 10;
};

/// One op of the step; times in milliseconds per launch.
struct StepLine {
  OpUse use;
  std::string kernel;
  double inside_ms = 0;
  std::vector<double> alone_ms;  // by cache state
};

struct MeasuredStep {
  std::vector<StepLine> lines;
  std::vector<OpUse> left_out;  // ops of which the back end has no kernel
  StepAnswer answer;
  /// Median time of the whole step.
  double total_ms() const;
};

/// Throws UsageError for arguments that make no sense.
void check_step(const StepArguments& arguments);

/// Throws Error when nothing of the step has a kernel, or a case of it is refused or fails.
MeasuredStep measure_step(const StepArguments& arguments, const OpRegistry& ops);

}  // namespace perfatlas
