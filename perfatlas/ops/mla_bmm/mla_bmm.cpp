// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mla_bmm/mla_bmm.h"

namespace perfatlas {
namespace {

/// Activations on both sides of the product.
DType activation_of(Quant quant) {
  const DType type = traits_of(quant).activation;
  return bits_of(type) >= 16 ? type : DType::bf16;
}

}  // namespace

std::string_view MlaBmm::why_invalid() const {
  if (tokens < 1 || heads < 1) return "tokens and heads must be positive";
  return {};
}

Work MlaBmm::work() const {
  const double rows = double(tokens) * double(heads);
  const double in = double(depth()), out = double(columns());
  const double bytes = bytes_of(activation_of(dtype));
  return {.flops = 2 * rows * in * out,
          .weight_bytes_read = double(heads) * in * out * traits_of(dtype).weight_bytes,
          .activation_bytes_read = rows * in * bytes,
          .bytes_written = rows * out * bytes,
          .math = traits_of(dtype).math};
}

Operands MlaBmm::operands() const {
  const DType type = activation_of(dtype);
  return {{.name = "x", .role = OperandRole::activation, .dtype = type, .shape = {tokens, heads, depth()}},
          {.name = "w",
           .role = OperandRole::weight,
           .dtype = traits_of(dtype).weight,
           .shape = {heads, depth(), columns()},
           .fill = Fill::small},
          {.name = "y",
           .role = OperandRole::output,
           .dtype = type,
           .shape = {tokens, heads, columns()},
           .fill = Fill::none,
           .written = true}};
}

void MlaBmm::reference(std::vector<HostOperand>& data) const {
  const std::vector<float>&x = data[x_at].values, &w = data[w_at].values;
  const auto in = size_t(depth()), out = size_t(columns()), rows = size_t(tokens * heads);
  std::vector<double> sums(out);
  for (size_t row = 0; row < rows; ++row) {
    const size_t head = row % size_t(heads);
    sums.assign(out, 0.0);
    for (size_t i = 0; i < in; ++i)
      for (size_t j = 0; j < out; ++j)
        sums[j] += double(x[row * in + i]) * double(w[(head * in + i) * out + j]);
    for (size_t j = 0; j < out; ++j) data[y_at].values[row * out + j] = float(sums[j]);
  }
}

void MlaBmm::model_cases(const ModelShapes& shapes, const CaseSink<MlaBmm>& sink) {
  for (MlaBmm op : shapes.of<MlaBmm>())
    for (const int64_t rows : kBatchLadder) {
      op.tokens = rows;
      sink(op);
    }
}

void MlaBmm::aic_cases(const AicGrid& grid, const CaseSink<MlaBmm>& sink) {
  constexpr int64_t kTokens[] = {1,    2,    4,    8,    16,   32,    48,    64,   80,   96,
                                 128,  160,  192,  256,  320,  384,   512,   768,  1024, 1536,
                                 2048, 3072, 4096, 6144, 8192, 12288, 16384, 20480};
  if (grid.framework == AicFramework::vllm) return;
  std::vector<Quant> quants = {Quant::bf16};
  if (grid.sm_version > 86 && grid.sm_version < 100) quants.push_back(Quant::fp8);
  for (const MlaBmmDirection direction : {MlaBmmDirection::pre, MlaBmmDirection::post})
    for (const Quant quant : quants)
      for (int64_t heads = 128; heads >= 1; heads /= 2)
        for (const int64_t tokens : kTokens)
          if (direction == MlaBmmDirection::post || tokens <= 8192) sink({direction, quant, tokens, heads});
}

}  // namespace perfatlas
