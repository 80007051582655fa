// SPDX-License-Identifier: Apache-2.0
// The whole definition of the "gemm" op. Nothing about gemm is written down anywhere else.
#pragma once

#include "perfatlas/schema/model_shapes.h"

namespace perfatlas {

/// Weights of a row that share a scale in Quant::int4_wo, as GPTQ and AWQ checkpoints have them.
inline constexpr int64_t kInt4Group = 128;

/// Elements of a row that share an exponent in Quant::mxfp8.
inline constexpr int64_t kMxfp8Block = 32;

/// Modes of old published tables that say how weights were made, not how they are multiplied.
inline constexpr std::string_view kOldGemmModes[] = {"awq", "gptq"};

/// D[m,n] = A[m,k] x W[n,k]^T, as one linear layer issues it on one rank.
struct Gemm {
  Quant dtype = Quant::bf16;
  int64_t m = 1;
  int64_t n = 1;
  int64_t k = 1;
  bool operator==(const Gemm&) const = default;

  static constexpr OpInfo info{
      .id = "gemm",
      .table = "gemm_perf",
      .op_name = "gemm",
      .doc =
          "Dense linear layer: row-major activations, one weight row per output feature, fp32 accumulation.",
      .sol = "max(2*m*n*k / peak(dtype), n*k*weight_bytes / memory_bw, (m*k + m*n)*bytes / llc_bw)",
      .left_out = kOldGemmModes,
  };

  static constexpr auto fields = std::tuple{
      field("gemm_dtype", &Gemm::dtype, Role::exact, "quantisation of weights and activations")
          .flagged("dtype"),
      field("m", &Gemm::m, Role::axis, "tokens in the step"),
      field("n", &Gemm::n, Role::axis, "output features on this rank"),
      field("k", &Gemm::k, Role::axis, "input features on this rank"),
  };

  static constexpr auto axes = std::array{
      axis<&Gemm::n, Gemm>("n"),
      axis<&Gemm::k, Gemm>("k"),
      axis<&Gemm::m, Gemm>("m"),
  };

  static constexpr TableLayout layout{
      .resolver = Resolver::sites,
      .site_axes = 2,
      .clamp_to_sol = true,
      .why =
          "token-equivalent: work depends on m = tokens of the step only, not on how batch and sequence "
          "share "
          "them; weight shapes (n, k) are scattered sites, each with a curve over m",
  };

  std::string_view why_invalid() const;
  Work work() const;

  /// a[m,k] activation, w[n,k] weight, d[m,n] output (bf16 for types below 16 bits, else the operand type); then the
  /// scales of those modes that multiply by some:
  ///   int8     a_scale[1] f32 activation, w_scale[n] f32 weight: d = a_scale * w_scale[col] * integer product
  ///   int8_wo  w_scale[n] f32 weight: weights are w * w_scale[row]
  ///   int4_wo  w_scale[n, ceil(k / kInt4Group)] bf16 weight: one per row and group of kInt4Group elements
  /// The floating-point modes have unit scales: theirs are a factor of the product, which costs nothing.
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  /// Every linear layer of the models at every rung of the token ladder; those that work per request (logits) at every
  /// rung of the batch ladder.
  static void model_cases(const ModelShapes& shapes, const CaseSink<Gemm>& sink);

  /// The published grid: 74 token counts x (22^2 - 1) feature pairs = 35,742 cases for 16-bit and fp8 types,
  /// 74 x (20^2 - 1) = 29,526 for types whose blocks need n, k >= 128 (vllm on sm 100: 34 token counts of fp8_block).
  static void aic_cases(const AicGrid& grid, const CaseSink<Gemm>& sink);
};
static_assert(Operation<Gemm>);

}  // namespace perfatlas
