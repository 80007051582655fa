// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/gemm/gemm.h"

namespace perfatlas {
namespace {

/// Types below 16 bits leave the product as bf16, which the next op reads.
constexpr DType output_type(Quant quant) {
  const DType in = traits_of(quant).activation;
  return bits_of(in) >= 16 ? in : DType::bf16;
}

constexpr bool block_scaled(Quant quant) { return quant == Quant::fp8_block || quant == Quant::nvfp4; }

/// Published token counts: tile edges are straddled by x and x+1 up to 4352.
std::vector<int64_t> aic_tokens() {
  std::vector<int64_t> tokens;
  for (int64_t m = 1; m <= 15; ++m) tokens.push_back(m);
  const auto with_successors = [&](int64_t first, int64_t last, int64_t step) {
    for (int64_t m = first; m <= last; m += step) tokens.insert(tokens.end(), {m, m + 1});
  };
  with_successors(16, 112, 16);
  with_successors(128, 224, 32);
  with_successors(256, 4352, 256);
  tokens.insert(tokens.end(), {8192, 16384, 32768});
  return tokens;
}

constexpr int64_t kAicFeatures[] = {32,   64,   128,  256,  512,  768,  1024,  1536,  2048,  2560,  3072,
                                    3584, 4096, 5120, 6144, 7168, 8192, 10240, 12288, 16384, 51200, 65536};

}  // namespace

std::string_view Gemm::why_invalid() const {
  if (m < 1 || n < 1 || k < 1) return "m, n and k must be positive";
  if (bits_of(traits_of(dtype).weight) == 4 && k % 2 != 0) return "4-bit rows need an even k";
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
  return {
      {.name = "a", .role = OperandRole::activation, .dtype = quant.activation, .shape = {m, k}},
      {.name = "w", .role = OperandRole::weight, .dtype = quant.weight, .shape = {n, k}, .fill = Fill::small},
      {.name = "d",
       .role = OperandRole::output,
       .dtype = output_type(dtype),
       .shape = {m, n},
       .fill = Fill::none,
       .written = true},
  };
}

void Gemm::model_cases(const ModelShapes& shapes, const CaseSink<Gemm>& sink) {
  for (const Gemm& shape : shapes.of<Gemm>()) {
    const std::span<const int64_t> rows = shape.m < kPrototypeTokens ? std::span<const int64_t>(kBatchLadder)
                                                                     : std::span<const int64_t>(kTokenLadder);
    for (const int64_t m : rows) sink({shape.dtype, m, shape.n, shape.k});
  }
}

void Gemm::aic_cases(const AicGrid& grid, const CaseSink<Gemm>& sink) {
  std::vector<Quant> quants = {Quant::bf16};
  if (grid.sm_version > 86) quants.insert(quants.end(), {Quant::fp8, Quant::fp8_block});
  if (grid.sm_version >= 100) quants.push_back(Quant::nvfp4);
  const std::vector<int64_t> tokens = aic_tokens();
  for (const Quant quant : quants)
    for (const int64_t n : kAicFeatures)
      for (const int64_t k : kAicFeatures) {
        if (n == 65536 && k == 65536) continue;
        if (block_scaled(quant) && (n < 128 || k < 128)) continue;
        for (const int64_t m : tokens) sink({quant, m, n, k});
      }
}

}  // namespace perfatlas
