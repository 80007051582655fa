// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/gemm/gemm.h"

#include "perfatlas/ops/gemm/gemm_grid.h"

namespace perfatlas {
namespace {

/// Types below 16 bits leave the product as bf16, which the next op reads.
constexpr DType output_type(Quant quant) {
  const DType in = traits_of(quant).activation;
  return bits_of(in) >= 16 ? in : DType::bf16;
}

constexpr bool block_scaled(Quant quant) { return quant == Quant::fp8_block || quant == Quant::nvfp4; }

/// Types by framework and generation.
std::vector<Quant> aic_quants(const AicGrid& grid) {
  const int sm = grid.sm_version;
  const bool trtllm = grid.framework == AicFramework::trtllm, sglang = grid.framework == AicFramework::sglang;
  std::vector<Quant> quants = {Quant::bf16};
  if (sm > (sglang ? 88 : 86)) quants.push_back(Quant::fp8);
  if (sm > (trtllm ? 86 : 89) && !(sglang && sm >= 110)) quants.push_back(Quant::fp8_block);
  if (sm >= 100) quants.push_back(Quant::nvfp4);
  return quants;
}

/// vllm on sm 100 takes activations of fp8_block in groups of four tokens.
bool aic_has_tokens(const AicGrid& grid, Quant quant, int64_t m) {
  const bool in_fours =
      grid.framework == AicFramework::vllm && grid.sm_version >= 100 && quant == Quant::fp8_block;
  return !in_fours || m % 4 == 0;
}

}  // namespace

std::string_view Gemm::why_invalid() const {
  if (m < 1 || n < 1 || k < 1) return "m, n and k must be positive";
  if (k % block_of(traits_of(dtype).weight).elements != 0)
    return "k must fill whole blocks of the weight type: 2 for 4-bit types, 32 for q8_0 and q4_0, 256 for "
           "q4_K and q6_K";
  return {};
}

Work Gemm::work() const {
  const auto rows = double(m), cols = double(n), depth = double(k);
  const QuantTraits quant = traits_of(dtype);
  return {
      .flops = 2 * rows * cols * depth,
      .weight_bytes_read = cols * depth * quant.weight_bytes,
      .activation_bytes_read = rows * depth * bytes_of(quant.activation),
      .bytes_written = rows * cols * bytes_of(output_type(dtype)),
      .math = quant.math,
  };
}

Operands Gemm::operands() const {
  const QuantTraits quant = traits_of(dtype);
  const auto scale = [](std::string name, OperandRole role, DType type, std::vector<int64_t> shape) {
    return Operand{.name = std::move(name),
                   .role = role,
                   .dtype = type,
                   .shape = std::move(shape),
                   .fill = Fill::positive};
  };
  Operands all = {
      {.name = "a", .role = OperandRole::activation, .dtype = quant.activation, .shape = {m, k}},
      {.name = "w", .role = OperandRole::weight, .dtype = quant.weight, .shape = {n, k}, .fill = Fill::small},
      {.name = "d",
       .role = OperandRole::output,
       .dtype = output_type(dtype),
       .shape = {m, n},
       .fill = Fill::none,
       .written = true},
  };
  if (dtype == Quant::int8) all.push_back(scale("a_scale", OperandRole::activation, DType::f32, {1}));
  if (dtype == Quant::int8 || dtype == Quant::int8_wo)
    all.push_back(scale("w_scale", OperandRole::weight, DType::f32, {n}));
  if (dtype == Quant::int4_wo)
    all.push_back(scale("w_scale", OperandRole::weight, DType::bf16, {n, (k + kInt4Group - 1) / kInt4Group}));
  return all;
}

void Gemm::model_cases(const ModelShapes& shapes, const CaseSink<Gemm>& sink) {
  for (const Gemm& shape : shapes.of<Gemm>()) {
    const std::span<const int64_t> rows = shape.m < kPrototypeTokens ? std::span<const int64_t>(kBatchLadder)
                                                                     : std::span<const int64_t>(kTokenLadder);
    for (const int64_t m : rows) sink({shape.dtype, m, shape.n, shape.k});
  }
}

void Gemm::aic_cases(const AicGrid& grid, const CaseSink<Gemm>& sink) {
  const std::vector<int64_t> tokens = aic_gemm_tokens();
  for (const Quant quant : aic_quants(grid))
    for (const int64_t n : kAicGemmFeatures)
      for (const int64_t k : kAicGemmFeatures) {
        if (n == 65536 && k == 65536) continue;
        if (block_scaled(quant) && (n < 128 || k < 128)) continue;
        for (const int64_t m : tokens)
          if (aic_has_tokens(grid, quant, m)) sink({quant, m, n, k});
      }
}

}  // namespace perfatlas
