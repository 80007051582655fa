// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/embedding/embedding.h"

#include <algorithm>
#include <limits>
#include <random>

namespace perfatlas {

std::string_view Embedding::why_invalid() const {
  if (tokens < 1 || hidden < 1 || vocab < 1) return "tokens, hidden and vocab must be positive";
  if (vocab > std::numeric_limits<int32_t>::max()) return "vocab must fit a 32-bit token id";
  if (dtype != DType::f32 && dtype != DType::f16 && dtype != DType::bf16)
    return "dtype must be float32, float16 or bfloat16";
  return {};
}

Work Embedding::work() const {
  const double row = double(hidden) * bytes_of(dtype);
  return {
      // A table smaller than the step is read at most once.
      .weight_bytes_read = double(std::min(tokens, vocab)) * row,
      .activation_bytes_read = double(tokens) * bytes_of(DType::int32),
      .bytes_written = double(tokens) * row,
  };
}

Operands Embedding::operands() const {
  using enum OperandRole;
  const auto ids = [rows = uint64_t(vocab)](uint64_t seed, HostOperand& content) {
    std::mt19937_64 numbers(seed);
    for (int32_t& id : content.indices) id = int32_t(numbers() % rows);
  };
  return {
      {.name = "ids",
       .role = activation,
       .dtype = DType::int32,
       .shape = {tokens},
       .fill = Fill::custom,
       .content = ids},
      {.name = "table", .role = weight, .dtype = dtype, .shape = {vocab, hidden}},
      {.name = "out",
       .role = output,
       .dtype = dtype,
       .shape = {tokens, hidden},
       .fill = Fill::none,
       .written = true},
  };
}

void Embedding::reference(std::vector<HostOperand>& data) const {
  const auto width = size_t(hidden);
  for (size_t token = 0; token < size_t(tokens); ++token)
    for (size_t i = 0; i < width; ++i)
      data[2].values[token * width + i] = data[1].values[size_t(data[0].indices[token]) * width + i];
}

void Embedding::model_cases(const ModelShapes& shapes, const CaseSink<Embedding>& sink) {
  for (const Embedding& shape : shapes.of<Embedding>())
    for (const int64_t tokens : kTokenLadder) sink({shape.dtype, tokens, shape.hidden, shape.vocab});
}

}  // namespace perfatlas
