// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/attention/attention_shape.h"

#include <algorithm>

namespace perfatlas {

DType activation_type(DType compute) { return bits_of(compute) >= 16 ? compute : DType::bf16; }

double AttentionShape::pairs() const {
  const auto last = double(context_tokens());
  if (!causal) return double(isl) * last;
  const auto triangle = [](double n) { return n * (n + 1) / 2; };  // 1 + 2 + ... + n
  if (window == 0 || context_tokens() <= window) return triangle(last) - triangle(double(step));
  const auto growing = double(std::max<int64_t>(window - step, 0));  // tokens that still see everything
  return growing * double(step) + triangle(growing) + (double(isl) - growing) * double(window);
}

int64_t AttentionShape::prefix_read() const { return step - first_visible(step); }

std::string_view why_invalid_attention(const AttentionShape& shape) {
  if (shape.batch < 1 || shape.isl < 1 || shape.heads < 1 || shape.kv_heads < 1 || shape.head_dim < 1)
    return "batch, isl, heads, kv_heads and head_dim must be positive";
  if (shape.step < 0 || shape.window < 0) return "step and window must not be negative";
  if (shape.heads % shape.kv_heads != 0) return "kv_heads must divide heads";
  if (shape.head_dim % block_of(shape.kv_dtype).elements != 0)
    return "head_dim must fill whole blocks of kv_dtype: 32 elements of q8_0";
  return why_invalid_attention_types(shape.dtype, shape.kv_dtype);
}

std::string_view why_invalid_attention_types(DType dtype, DType kv_dtype) {
  using enum DType;
  if (dtype != f32 && dtype != f16 && dtype != bf16 && dtype != fp8_e4m3)
    return "dtype must be float32, float16, bfloat16 or fp8";
  if (kv_dtype != f32 && kv_dtype != f16 && kv_dtype != bf16 && kv_dtype != fp8_e4m3 && kv_dtype != int8 &&
      kv_dtype != q8_0)
    return "kv_dtype must be float32, float16, bfloat16, fp8, int8 or q8_0";
  return {};
}

Work attention_work(const AttentionShape& s) {
  const auto rows = double(s.batch), key = double(s.head_dim), value = double(s.value_width());
  const double activation = bytes_of(activation_type(s.dtype));
  const double kv_token = double(s.kv_heads) * (key + value);  // elements of one token's key and value
  const double query_rows = rows * double(s.isl) * double(s.heads);
  const double pages = rows * double(s.pages_per_sequence());
  return {
      .flops = 2 * rows * double(s.heads) * (key + value) * s.pairs(),
      .kv_bytes_read = rows * double(s.prefix_read()) * kv_token * bytes_of(s.kv_dtype),
      .activation_bytes_read =
          (query_rows * key + rows * double(s.isl) * kv_token) * activation + pages * bytes_of(DType::int32),
      .kv_bytes_written = rows * double(s.isl) * kv_token * bytes_of(s.kv_dtype),
      .bytes_written = query_rows * value * activation,
      .math = s.dtype,
  };
}

Operands attention_operands(const AttentionShape& s) {
  using enum OperandRole;
  const int64_t tokens = s.batch * s.isl, pages = s.batch * s.pages_per_sequence();
  const DType type = activation_type(s.dtype);
  const std::vector<int64_t> queries{tokens, s.heads, s.head_dim}, keys{tokens, s.kv_heads, s.head_dim};
  const std::vector<int64_t> cache{pages, s.kv_heads, kPageTokens, s.head_dim};
  return {
      {.name = "q", .role = activation, .dtype = type, .shape = queries},
      {.name = "k", .role = activation, .dtype = type, .shape = keys},
      {.name = "v", .role = activation, .dtype = type, .shape = keys},
      {.name = "k_cache", .role = kv, .dtype = s.kv_dtype, .shape = cache, .written = true},
      {.name = "v_cache", .role = kv, .dtype = s.kv_dtype, .shape = cache, .written = true},
      {.name = "page_table",
       .role = activation,
       .dtype = DType::int32,
       .shape = {s.batch, s.pages_per_sequence()},
       .fill = Fill::page_table},
      {.name = "out", .role = output, .dtype = type, .shape = queries, .fill = Fill::none, .written = true},
  };
}

}  // namespace perfatlas
