// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/rope/rope.h"

#include <cmath>
#include <random>

namespace perfatlas {
namespace {

/// Cosines and sines of every position and pair.
void write_table(const Rope& op, HostOperand& content) {
  const auto pairs = size_t(op.rotary_dim / 2);
  for (size_t position = 0; position < size_t(op.positions); ++position)
    for (size_t i = 0; i < pairs; ++i) {
      const double angle = double(position) * std::pow(Rope::kTheta, -2 * double(i) / double(op.rotary_dim));
      float* row = &content.values[position * 2 * pairs];
      row[i] = float(std::cos(angle));
      row[pairs + i] = float(std::sin(angle));
    }
}

struct Heads {
  int64_t heads, width, offset;
};

void rotate(const Rope& op, const Heads& of, std::vector<float>& values, const std::vector<float>& table,
            const std::vector<int32_t>& positions) {
  const auto pairs = size_t(op.rotary_dim / 2);
  for (size_t token = 0; token < size_t(op.tokens); ++token)
    for (size_t head = 0; head < size_t(of.heads); ++head) {
      float* part = &values[(token * size_t(of.heads) + head) * size_t(of.width) + size_t(of.offset)];
      const float* row = &table[size_t(positions[token]) * 2 * pairs];
      for (size_t i = 0; i < pairs; ++i) {
        const double a = part[i], b = part[pairs + i], c = row[i], s = row[pairs + i];
        part[i] = float(a * c - b * s);
        part[pairs + i] = float(b * c + a * s);
      }
    }
}

}  // namespace

std::string_view Rope::why_invalid() const {
  if (tokens < 1 || heads < 1 || kv_heads < 1 || head_dim < 1 || positions < 1)
    return "tokens, heads, kv_heads, head_dim and max_position must be positive";
  if (heads % kv_heads != 0) return "kv_heads must divide heads";
  if (rotary_dim < 2 || rotary_dim % 2 != 0) return "rotary_dim must be positive and even";
  if (rotary_offset < 0) return "rotary_offset must not be negative";
  if (rotary_offset + rotary_dim > head_dim) return "the rotated elements must lie within the head";
  if (dtype != DType::f32 && dtype != DType::f16 && dtype != DType::bf16)
    return "dtype must be float32, float16 or bfloat16";
  return {};
}

Work Rope::work() const {
  const double rotated = double(tokens) * double(heads + kv_heads) * double(rotary_dim) * bytes_of(dtype);
  const double table = double(tokens) * (double(rotary_dim) * bytes_of(DType::f32) + bytes_of(DType::int32));
  return {.activation_bytes_read = rotated + table, .bytes_written = rotated};
}

Operands Rope::operands() const {
  using enum OperandRole;
  const auto table = [op = *this](uint64_t, HostOperand& content) { write_table(op, content); };
  const auto rows = [last = positions - 1](uint64_t seed, HostOperand& content) {
    std::mt19937_64 numbers(seed);
    for (int32_t& position : content.indices) position = int32_t(numbers() % uint64_t(last + 1));
  };
  return {
      {.name = "q", .role = activation, .dtype = dtype, .shape = {tokens, heads, head_dim}, .written = true},
      {.name = "k",
       .role = activation,
       .dtype = dtype,
       .shape = {tokens, kv_heads, key_dim()},
       .written = true},
      {.name = "cos_sin",
       .role = activation,
       .dtype = DType::f32,
       .shape = {positions, rotary_dim},
       .fill = Fill::custom,
       .content = table},
      {.name = "position",
       .role = activation,
       .dtype = DType::int32,
       .shape = {tokens},
       .fill = Fill::custom,
       .content = rows},
  };
}

void Rope::reference(std::vector<HostOperand>& data) const {
  const std::vector<float>& table = data[2].values;
  rotate(*this, {heads, head_dim, rotary_offset}, data[0].values, table, data[3].indices);
  rotate(*this, {kv_heads, key_dim(), 0}, data[1].values, table, data[3].indices);
}

void Rope::model_cases(const ModelShapes& shapes, const CaseSink<Rope>& sink) {
  for (Rope op : shapes.of<Rope>())
    for (const int64_t tokens : kTokenLadder) {
      op.tokens = tokens;
      sink(op);
    }
}

}  // namespace perfatlas
