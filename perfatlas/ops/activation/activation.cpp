// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/activation/activation.h"

#include <cmath>
#include <numbers>

namespace perfatlas {
namespace {

double apply(ActivationKind kind, double v) {
  switch (kind) {
    case ActivationKind::silu_mul:
      return v / (1 + std::exp(-v));
    case ActivationKind::gelu_mul:
    case ActivationKind::gelu:
      return v / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (v + 0.044715 * v * v * v)));
    case ActivationKind::relu2:
      return v > 0 ? v * v : 0;
  }
  return 0;
}

}  // namespace

std::string_view Activation::why_invalid() const {
  if (tokens < 1 || inter < 1) return "tokens and inter_size must be positive";
  if (dtype != DType::f32 && dtype != DType::f16 && dtype != DType::bf16)
    return "dtype must be float32, float16 or bfloat16";
  return {};
}

Work Activation::work() const {
  const double bytes = bytes_of(dtype);
  return {
      .activation_bytes_read = double(tokens) * double(input_width()) * bytes,
      .bytes_written = double(tokens) * double(inter) * bytes,
  };
}

Operands Activation::operands() const {
  using enum OperandRole;
  return {
      {.name = "x", .role = activation, .dtype = dtype, .shape = {tokens, input_width()}},
      {.name = "out",
       .role = output,
       .dtype = dtype,
       .shape = {tokens, inter},
       .fill = Fill::none,
       .written = true},
  };
}

void Activation::reference(std::vector<HostOperand>& data) const {
  const auto width = size_t(inter), stride = size_t(input_width());
  for (size_t row = 0; row < size_t(tokens); ++row)
    for (size_t i = 0; i < width; ++i) {
      const float* x = &data[0].values[row * stride];
      const double up = gated() ? x[width + i] : 1;
      data[1].values[row * width + i] = float(apply(kind, x[i]) * up);
    }
}

void Activation::model_cases(const ModelShapes& shapes, const CaseSink<Activation>& sink) {
  for (const Activation& shape : shapes.of<Activation>())
    for (const int64_t tokens : kTokenLadder) sink({shape.kind, shape.dtype, tokens, shape.inter});
}

}  // namespace perfatlas
