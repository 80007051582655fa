// SPDX-License-Identifier: Apache-2.0
// The whole definition of the "rms_norm" op: the norm without a residual (first layer, latents of MLA, query and key
// norms). Formula: Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.
#pragma once

#include "perfatlas/schema/model_shapes.h"

namespace perfatlas {

/// out = x / sqrt(mean(x^2) + 1e-6) * w, row by row; sums in fp32 or better.
struct RmsNorm {
  DType dtype = DType::bf16;
  int64_t tokens = 1;
  int64_t hidden = 1;
  bool operator==(const RmsNorm&) const = default;

  static constexpr double kEpsilon = 1e-6;

  static constexpr OpInfo info{
      .id = "rms_norm",
      .table = "rms_norm_perf",
      .op_name = "rms_norm",
      .doc = "RMS normalisation of rows.",
      .sol = "max(hidden_size*bytes / memory_bw, 2*num_tokens*hidden_size*bytes / llc_bw)",
  };

  static constexpr auto fields = std::tuple{
      field("dtype", &RmsNorm::dtype, Role::exact, "type of every operand"),
      field("num_tokens", &RmsNorm::tokens, Role::axis,
            "rows: tokens in the step (times heads for head norms)")
          .flagged("tokens"),
      field("hidden_size", &RmsNorm::hidden, Role::axis, "elements per row").flagged("hidden"),
  };

  static constexpr auto axes = std::array{
      axis<&RmsNorm::hidden, RmsNorm>("hidden"),
      axis<&RmsNorm::tokens, RmsNorm>("tokens"),
  };

  static constexpr TableLayout layout{
      .resolver = Resolver::sites,
      .site_axes = 1,
      .why =
          "token-equivalent: rows are independent, so only their number counts; hidden sizes are those of "
          "models "
          "and lie scattered",
  };

  std::string_view why_invalid() const;
  /// A memory op: arithmetic is not counted, because it binds nowhere.
  Work work() const;

  /// x[tokens, hidden] activation, w[hidden] weight, out[tokens, hidden] output.
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  /// Hidden sizes and types of the models at every rung of the token ladder.
  static void model_cases(const ModelShapes& shapes, const CaseSink<RmsNorm>& sink);
};
static_assert(Operation<RmsNorm>);

}  // namespace perfatlas
