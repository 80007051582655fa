// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/encoder_attention/encoder_attention.h"

#include <limits>

namespace perfatlas {
namespace {

/// At most 131072 tokens, and q, k, v and out together below 2^31 bytes in 16 bits.
bool fits_budget(const EncoderAttention& op) {
  const int64_t tokens = op.batch * op.isl;
  return tokens <= 131072 &&
         4 * tokens * op.heads * op.head_dim * 2 <= int64_t{std::numeric_limits<int32_t>::max()};
}

}  // namespace

AttentionShape EncoderAttention::shape() const {
  return {.batch = batch,
          .isl = isl,
          .heads = heads,
          .kv_heads = heads,
          .head_dim = head_dim,
          .causal = false,
          .dtype = dtype,
          .kv_dtype = dtype};
}

std::string_view EncoderAttention::why_invalid() const {
  if (batch < 1 || isl < 1 || heads < 1 || head_dim < 1)
    return "batch, isl, heads and head_dim must be positive";
  return why_invalid_attention_types(dtype, dtype);
}

Work EncoderAttention::work() const {
  const double row_bytes = double(heads) * double(head_dim) * bytes_of(activation_type(dtype));
  const double tokens = double(batch) * double(isl);
  return {.flops = 4 * double(batch) * double(heads) * double(head_dim) * shape().pairs(),
          .activation_bytes_read = 3 * tokens * row_bytes,
          .bytes_written = tokens * row_bytes,
          .math = dtype};
}

Operands EncoderAttention::operands() const {
  using enum OperandRole;
  const DType type = activation_type(dtype);
  const std::vector<int64_t> rows{batch * isl, heads, head_dim};
  return {{.name = "q", .role = activation, .dtype = type, .shape = rows},
          {.name = "k", .role = activation, .dtype = type, .shape = rows},
          {.name = "v", .role = activation, .dtype = type, .shape = rows},
          {.name = "out", .role = output, .dtype = type, .shape = rows, .fill = Fill::none, .written = true}};
}

void EncoderAttention::reference(std::vector<HostOperand>& data) const {
  const auto row_of = [&](At operand) -> AttentionRow {
    return [this, &rows = data[operand].values](int64_t sequence, int64_t position, int64_t head) {
      return &rows[size_t(((sequence * isl + position) * heads + head) * head_dim)];
    };
  };
  attention_rows_reference(shape(), data[q_at].values, row_of(k_at), row_of(v_at), data[out_at].values);
}

void EncoderAttention::model_cases(const ModelShapes& shapes, const CaseSink<EncoderAttention>& sink) {
  for (EncoderAttention op : shapes.of<EncoderAttention>())
    for (const int64_t rows : kBatchLadder)
      for (const int64_t tokens : kSequenceLadder) {
        op.batch = rows, op.isl = tokens;
        if (fits_budget(op)) sink(op);
      }
}

void EncoderAttention::aic_cases(const AicGrid&, const CaseSink<EncoderAttention>& sink) {
  constexpr int64_t kLengths[] = {1,     13,    16,    26,    32,    52,    64,    104,   128,  192,
                                  256,   400,   512,   576,   1024,  1296,  1500,  1536,  2048, 2304,
                                  3072,  3136,  4096,  5184,  6144,  6400,  7744,  8192,  9216, 10240,
                                  10816, 12288, 12544, 14400, 16384, 24576, 32768, 49152, 65536};
  constexpr int64_t kHeads[] = {1, 2, 4, 5, 8, 10, 12, 14, 16, 20, 24, 32};
  for (const int64_t head_dim : {64, 72, 80})
    for (const int64_t heads : kHeads) {
      if (heads == 1 && head_dim == 80)
        continue;  // one head is what 16 ranks leave of a 16-head encoder of 64 or 72
      for (const int64_t isl : kLengths)
        for (int64_t batch = 1; batch <= 64; batch *= 2) {
          const EncoderAttention op{.batch = batch, .isl = isl, .heads = heads, .head_dim = head_dim};
          if (fits_budget(op)) sink(op);
        }
    }
}

}  // namespace perfatlas
