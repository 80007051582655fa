// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/rms_norm/rms_norm.h"

#include <cmath>

namespace perfatlas {

std::string_view RmsNorm::why_invalid() const {
  if (tokens < 1 || hidden < 1) return "tokens and hidden must be positive";
  if (dtype != DType::f32 && dtype != DType::f16 && dtype != DType::bf16)
    return "dtype must be float32, float16 or bfloat16";
  return {};
}

Work RmsNorm::work() const {
  const double elements = double(tokens) * double(hidden), bytes = bytes_of(dtype);
  return {
      .weight_bytes_read = double(hidden) * bytes,
      .activation_bytes_read = elements * bytes,
      .bytes_written = elements * bytes,
  };
}

Operands RmsNorm::operands() const {
  using enum OperandRole;
  return {
      {.name = "x", .role = activation, .dtype = dtype, .shape = {tokens, hidden}},
      {.name = "w", .role = weight, .dtype = dtype, .shape = {hidden}, .fill = Fill::positive},
      {.name = "out",
       .role = output,
       .dtype = dtype,
       .shape = {tokens, hidden},
       .fill = Fill::none,
       .written = true},
  };
}

void RmsNorm::reference(std::vector<HostOperand>& data) const {
  const std::vector<float>&x = data[0].values, &w = data[1].values;
  const auto width = size_t(hidden);
  for (size_t row = 0; row < size_t(tokens) * width; row += width) {
    double squares = 0;
    for (size_t i = 0; i < width; ++i) squares += double(x[row + i]) * double(x[row + i]);
    const double scale = 1 / std::sqrt(squares / double(width) + kEpsilon);
    for (size_t i = 0; i < width; ++i)
      data[2].values[row + i] = float(double(x[row + i]) * scale * double(w[i]));
  }
}

void RmsNorm::model_cases(const ModelShapes& shapes, const CaseSink<RmsNorm>& sink) {
  for (const RmsNorm& shape : shapes.of<RmsNorm>())
    for (const int64_t tokens : kTokenLadder) sink({shape.dtype, tokens, shape.hidden});
}

}  // namespace perfatlas
