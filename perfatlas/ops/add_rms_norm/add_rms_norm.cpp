// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/add_rms_norm/add_rms_norm.h"

namespace perfatlas {

std::string_view AddRmsNorm::why_invalid() const {
  if (tokens < 1 || hidden < 1) return "tokens and hidden must be positive";
  if (dtype != DType::f32 && dtype != DType::f16 && dtype != DType::bf16)
    return "dtype must be float32, float16 or bfloat16";
  return {};
}

Work AddRmsNorm::work() const {
  const double elements = double(tokens) * double(hidden), bytes = bytes_of(dtype);
  return {
      .weight_bytes_read = double(hidden) * bytes,
      .activation_bytes_read = 2 * elements * bytes,
      .bytes_written = 2 * elements * bytes,
  };
}

Operands AddRmsNorm::operands() const {
  using enum OperandRole;
  return {
      {.name = "x", .role = activation, .dtype = dtype, .shape = {tokens, hidden}},
      {.name = "residual", .role = activation, .dtype = dtype, .shape = {tokens, hidden}, .written = true},
      {.name = "w", .role = weight, .dtype = dtype, .shape = {hidden}, .fill = Fill::positive},
      {.name = "out",
       .role = output,
       .dtype = dtype,
       .shape = {tokens, hidden},
       .fill = Fill::none,
       .written = true},
  };
}

void AddRmsNorm::model_cases(const ModelShapes& shapes, const CaseSink<AddRmsNorm>& sink) {
  for (const AddRmsNorm& shape : shapes.of<AddRmsNorm>())
    for (const int64_t tokens : kTokenLadder) sink({shape.dtype, tokens, shape.hidden});
}

}  // namespace perfatlas
