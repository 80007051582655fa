// SPDX-License-Identifier: Apache-2.0
// The whole definition of the "activation" op: what stands between the two projections of a feed-forward block.
// Formulas: Shazeer, "GLU Variants Improve Transformer", 2020 (gated); Hendrycks and Gimpel, "Gaussian Error Linear
// Units", 2016 (GELU by its tanh approximation); So et al., "Primer", 2021 (squared ReLU).
#pragma once

#include "perfatlas/schema/model_shapes.h"

namespace perfatlas {

enum class ActivationKind { silu_mul, gelu_mul, gelu, relu2 };

template <>
inline constexpr auto kEnumNames<ActivationKind> = std::array{
    EnumName<ActivationKind>{ActivationKind::silu_mul, "silu_mul"},
    EnumName<ActivationKind>{ActivationKind::gelu_mul, "gelu_mul"},
    EnumName<ActivationKind>{ActivationKind::gelu, "gelu"},
    EnumName<ActivationKind>{ActivationKind::relu2, "relu2"},
};

/// Gated kinds: out = f(gate) * up, where a row of x is its gate followed by its up half. Others: out = f(x).
/// silu(v) = v / (1 + e^-v); gelu(v) = v/2 * (1 + tanh(sqrt(2/pi) * (v + 0.044715 v^3))); relu2(v) = max(v, 0)^2.
struct Activation {
  ActivationKind kind = ActivationKind::silu_mul;
  DType dtype = DType::bf16;
  int64_t tokens = 1;
  int64_t inter = 64;  // of a single element relu2 may well be 0
  bool operator==(const Activation&) const = default;

  static constexpr OpInfo info{
      .id = "activation",
      .table = "activation_perf",
      .op_name = "activation",
      .doc = "Activation function of a feed-forward block, with the product of its gate where there is one.",
      .sol = "num_tokens*inter_size*bytes*(3 gated, 2 not) / llc_bw",
  };

  static constexpr auto fields = std::tuple{
      field("kind", &Activation::kind, Role::exact, "the function"),
      field("dtype", &Activation::dtype, Role::exact, "type of input and output"),
      field("num_tokens", &Activation::tokens, Role::axis, "rows: tokens in the step").flagged("tokens"),
      field("inter_size", &Activation::inter, Role::axis, "elements per row of the result on this rank")
          .flagged("inter"),
  };

  static constexpr auto axes = std::array{
      axis<&Activation::inter, Activation>("inter"),
      axis<&Activation::tokens, Activation>("tokens"),
  };

  static constexpr TableLayout layout{
      .resolver = Resolver::sites,
      .site_axes = 1,
      .why =
          "token-equivalent: every element is computed by itself, so only the tokens of the step count; "
          "widths are "
          "those of models and lie scattered",
  };

  bool gated() const { return kind == ActivationKind::silu_mul || kind == ActivationKind::gelu_mul; }
  /// Elements per row of x.
  int64_t input_width() const { return gated() ? 2 * inter : inter; }

  std::string_view why_invalid() const;
  /// A memory op: arithmetic is not counted.
  Work work() const;

  /// x[tokens, input_width()] activation, out[tokens, inter] output.
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  /// Kinds, widths and types of the models at every rung of the token ladder.
  static void model_cases(const ModelShapes& shapes, const CaseSink<Activation>& sink);
};
static_assert(Operation<Activation>);

}  // namespace perfatlas
