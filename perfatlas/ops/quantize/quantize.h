// SPDX-License-Identifier: Apache-2.0
// The whole definition of the ops "compute_scale" (find the scales of an activation) and "scale_matrix" (quantise it
// with given scales). Dynamic quantisation is one after the other, static quantisation the second alone.
//
// Here each is a kernel that is measured by itself. The published tables hold something else: scale_matrix is the mean
// time of a static quantiser, compute_scale the mean of a dynamic quantiser minus that of the static one, cut off at
// zero. A quarter of the published compute_scale rows are therefore exactly 0, and where a library fuses both steps the
// difference is less than a reduction alone takes.
#pragma once

#include "perfatlas/schema/model_shapes.h"

namespace perfatlas {

/// Elements of a row that share a scale in Quant::fp8_block; the last group of a row may be shorter.
inline constexpr int64_t kQuantGroup = 128;

/// Scales below this are raised to it, so that a quotient by the scale of zeros is finite.
inline constexpr double kSmallestScale = 1e-10;

/// What both ops are about: x[m, k] in bf16, and how it is quantised.
///   fp8, int8     one scale per tensor: the largest magnitude becomes 448 or 127
///   fp8_rowwise   one scale per row (token)
///   fp8_block     one scale per row and group of kQuantGroup elements
struct QuantizeShape {
  Quant quant = Quant::fp8;
  int64_t m = 1;
  int64_t k = 1;

  /// Rows have scales of their own.
  bool grouped() const { return quant == Quant::fp8_block || quant == Quant::fp8_rowwise; }
  /// Elements of a row that share one of them.
  int64_t group() const { return quant == Quant::fp8_block ? kQuantGroup : k; }
  int64_t groups() const { return (k + group() - 1) / group(); }
  std::vector<int64_t> scale_shape() const;
  int64_t scales() const { return grouped() ? m * groups() : 1; }
  DType stored() const { return quant == Quant::int8 ? DType::int8 : DType::fp8_e4m3; }
  /// The largest value of the stored type.
  double largest() const { return quant == Quant::int8 ? 127 : 448; }
  std::string_view why_invalid() const;
};

/// scale = max(largest |x| / largest(), kSmallestScale), per tensor or per group.
struct ComputeScale {
  int64_t m = 1;
  int64_t k = 1;
  Quant dtype = Quant::fp8;
  bool operator==(const ComputeScale&) const = default;

  static constexpr OpInfo info{
      .id = "compute_scale",
      .table = "computescale_perf",
      .op_name = "compute_scale",
      .doc = "Reduction that finds the scale (or the scales) with which an activation is quantised.",
      .sol = "(2*m*k + 4*scales) / llc_bw",
      .zero_is_measured = true,  // published: the difference of two kernels
  };

  static constexpr auto fields = std::tuple{
      field("m", &ComputeScale::m, Role::axis, "tokens in the step"),
      field("k", &ComputeScale::k, Role::axis, "features per token"),
      field("quant_dtype", &ComputeScale::dtype, Role::exact,
            "fp8 or int8 (per tensor), fp8_rowwise, fp8_block (1x128)")
          .flagged("dtype"),
  };

  static constexpr auto axes = std::array{
      axis<&ComputeScale::m, ComputeScale>("m"),
      axis<&ComputeScale::k, ComputeScale>("k"),
  };

  static constexpr TableLayout layout{
      .why =
          "token-equivalent: every element is read once, whatever sequence its token belongs to. Measured as "
          "a "
          "reduction by itself; published rows are the difference of a dynamic and a static quantiser, cut "
          "off at 0",
  };

  QuantizeShape shape() const { return {dtype, m, k}; }
  std::string_view why_invalid() const { return shape().why_invalid(); }
  Work work() const;
  /// x[m, k] bf16 activation; scale f32 output: [1], or [m, groups] for fp8_rowwise and fp8_block.
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  /// Every token count with every feature count that the models quantise.
  static void model_cases(const ModelShapes& shapes, const CaseSink<ComputeScale>& sink);
  /// The published grid: 74 token counts x 22 feature counts = 1,628 cases of fp8, from sm 89 on.
  static void aic_cases(const AicGrid& grid, const CaseSink<ComputeScale>& sink);
};
static_assert(Operation<ComputeScale>);

/// q = x / scale, rounded to nearest even and saturated.
struct ScaleMatrix {
  int64_t m = 1;
  int64_t k = 1;
  Quant dtype = Quant::fp8;
  bool operator==(const ScaleMatrix&) const = default;

  static constexpr OpInfo info{
      .id = "scale_matrix",
      .table = "scale_matrix_perf",
      .op_name = "scale_matrix",
      .doc = "Quantises an activation with given scales (static quantisation).",
      .sol = "(3*m*k + 4*scales) / llc_bw",
  };

  static constexpr auto fields = std::tuple{
      field("m", &ScaleMatrix::m, Role::axis, "tokens in the step"),
      field("k", &ScaleMatrix::k, Role::axis, "features per token"),
      field("quant_dtype", &ScaleMatrix::dtype, Role::exact,
            "fp8 or int8 (per tensor), fp8_rowwise, fp8_block (1x128)")
          .flagged("dtype"),
  };

  static constexpr auto axes = std::array{
      axis<&ScaleMatrix::m, ScaleMatrix>("m"),
      axis<&ScaleMatrix::k, ScaleMatrix>("k"),
  };

  static constexpr TableLayout layout{
      .why =
          "token-equivalent: every element is read and written once, whatever sequence its token belongs to. "
          "Published rows are the mean of a static quantiser and mean the same",
  };

  QuantizeShape shape() const { return {dtype, m, k}; }
  std::string_view why_invalid() const { return shape().why_invalid(); }
  Work work() const;
  /// x[m, k] bf16 activation, scale f32 activation ([1], or [m, groups] for fp8_rowwise and fp8_block), q[m, k] fp8 or
  /// int8 output.
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  /// As ComputeScale::model_cases.
  static void model_cases(const ModelShapes& shapes, const CaseSink<ScaleMatrix>& sink);
  /// As ComputeScale::aic_cases.
  static void aic_cases(const AicGrid& grid, const CaseSink<ScaleMatrix>& sink);
};
static_assert(Operation<ScaleMatrix>);

}  // namespace perfatlas
