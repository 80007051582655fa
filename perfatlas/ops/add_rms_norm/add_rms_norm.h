// SPDX-License-Identifier: Apache-2.0
// The whole definition of the "add_rms_norm" op: what stands between two blocks of a decoder layer.
#pragma once

#include "perfatlas/schema/model_shapes.h"

namespace perfatlas {

/// residual += x; out = residual / sqrt(mean(residual^2) + 1e-6) * w, row by row; sums in fp32 or better. The norm
/// sees the sum before it is rounded to the residual's type or after: kernels differ, both are right.
struct AddRmsNorm {
  DType dtype = DType::bf16;
  int64_t tokens = 1;
  int64_t hidden = 1;
  bool operator==(const AddRmsNorm&) const = default;

  static constexpr double kEpsilon = 1e-6;

  static constexpr OpInfo info{
      .id = "add_rms_norm",
      .table = "add_rms_norm_perf",
      .op_name = "add_rms_norm",
      .doc = "Residual addition fused with RMS normalisation of the sum; the residual is updated in place.",
      .sol = "max(hidden_size*bytes / memory_bw, 4*num_tokens*hidden_size*bytes / llc_bw)",
  };

  static constexpr auto fields = std::tuple{
      field("dtype", &AddRmsNorm::dtype, Role::exact, "type of every operand"),
      field("num_tokens", &AddRmsNorm::tokens, Role::axis, "tokens in the step").flagged("tokens"),
      field("hidden_size", &AddRmsNorm::hidden, Role::axis, "elements per token").flagged("hidden"),
  };

  static constexpr auto axes = std::array{
      axis<&AddRmsNorm::hidden, AddRmsNorm>("hidden"),
      axis<&AddRmsNorm::tokens, AddRmsNorm>("tokens"),
  };

  static constexpr TableLayout layout{
      .resolver = Resolver::sites,
      .site_axes = 1,
      .why =
          "token-equivalent: rows are independent, so only the tokens of the step count; hidden sizes are "
          "those "
          "of models and lie scattered",
  };

  std::string_view why_invalid() const;
  /// A memory op: arithmetic is not counted, because it binds nowhere.
  Work work() const;

  /// x[tokens, hidden] activation, residual[tokens, hidden] activation that is updated, w[hidden] weight,
  /// out[tokens, hidden] output.
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  /// Hidden sizes and types of the models at every rung of the token ladder.
  static void model_cases(const ModelShapes& shapes, const CaseSink<AddRmsNorm>& sink);
};
static_assert(Operation<AddRmsNorm>);

}  // namespace perfatlas
