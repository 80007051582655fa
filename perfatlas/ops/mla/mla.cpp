// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mla/mla.h"

namespace perfatlas {
namespace {

template <class Op>
std::string_view why_invalid_mla(const Op& op) {
  if (op.batch < 1 || op.isl < 1 || op.heads < 1 || op.tp < 1)
    return "batch, isl, heads and tp must be positive";
  if (op.step < 0) return "step must not be negative";
  return why_invalid_attention_types(op.dtype, op.kv_dtype);
}

/// Work of the attention itself and of writing the new latent rows; the caller adds what it reads.
Work write_latent(const AttentionShape& s) {
  const double tokens = double(s.batch) * double(s.isl), heads = double(s.heads);
  const double row_bytes = double(kMlaCached) * bytes_of(activation_type(s.dtype));
  return {.flops = 2 * double(s.batch) * heads * double(s.head_dim + s.value_width()) * s.pairs(),
          .activation_bytes_read =
              tokens * row_bytes + double(s.batch * s.pages_per_sequence()) * bytes_of(DType::int32),
          .kv_bytes_written = tokens * double(kMlaCached) * bytes_of(s.kv_dtype),
          .bytes_written = tokens * heads * double(s.value_width()) * bytes_of(activation_type(s.dtype)),
          .math = s.dtype};
}

Operand rows_operand(std::string name, const AttentionShape& s, std::vector<int64_t> extents) {
  return {.name = std::move(name),
          .role = OperandRole::activation,
          .dtype = activation_type(s.dtype),
          .shape = std::move(extents)};
}

/// latent, latent_cache, page_table and out: the end of both lists.
void add_cache_operands(const AttentionShape& s, Operands& operands) {
  const int64_t tokens = s.batch * s.isl, pages = s.batch * s.pages_per_sequence();
  operands.push_back(rows_operand("latent", s, {tokens, kMlaCached}));
  operands.push_back({.name = "latent_cache",
                      .role = OperandRole::kv,
                      .dtype = s.kv_dtype,
                      .shape = {pages, kPageTokens, kMlaCached},
                      .written = true});
  operands.push_back({.name = "page_table",
                      .role = OperandRole::activation,
                      .dtype = DType::int32,
                      .shape = {s.batch, s.pages_per_sequence()},
                      .fill = Fill::page_table});
  operands.push_back({.name = "out",
                      .role = OperandRole::output,
                      .dtype = activation_type(s.dtype),
                      .shape = {tokens, s.heads, s.value_width()},
                      .fill = Fill::none,
                      .written = true});
}

}  // namespace

AttentionShape MlaContext::shape() const {
  return {.batch = batch,
          .isl = isl,
          .step = step,
          .heads = heads,
          .kv_heads = heads,
          .head_dim = kMlaKey,
          .value_dim = kMlaValue,
          .dtype = dtype,
          .kv_dtype = kv_dtype};
}

std::string_view MlaContext::why_invalid() const { return why_invalid_mla(*this); }

Work MlaContext::work() const {
  const AttentionShape s = shape();
  Work work = write_latent(s);
  const double rows = double(batch) * double(heads) * bytes_of(activation_type(dtype));
  work.activation_bytes_read +=
      rows * (double(isl) * double(kMlaKey) + double(s.context_tokens()) * double(kMlaKey + kMlaValue));
  return work;
}

Operands MlaContext::operands() const {
  const AttentionShape s = shape();
  Operands operands = {rows_operand("q", s, {batch * isl, heads, kMlaKey}),
                       rows_operand("k", s, {batch * s.context_tokens(), heads, kMlaKey}),
                       rows_operand("v", s, {batch * s.context_tokens(), heads, kMlaValue})};
  add_cache_operands(s, operands);
  return operands;
}

AttentionShape MlaGeneration::shape() const {
  return {.batch = batch,
          .isl = isl,
          .step = step,
          .heads = heads,
          .kv_heads = 1,
          .head_dim = kMlaCached,
          .value_dim = kMlaLatent,
          .score_dim = kMlaKey,
          .dtype = dtype,
          .kv_dtype = kv_dtype};
}

std::string_view MlaGeneration::why_invalid() const {
  if (isl != 1) return "isl must be 1: generation takes one new token per sequence";
  return why_invalid_mla(*this);
}

Work MlaGeneration::work() const {
  Work work = write_latent(shape());
  const double cached = double(batch) * double(kMlaCached);
  work.activation_bytes_read += cached * double(heads) * bytes_of(activation_type(dtype));
  work.kv_bytes_read = cached * double(step) * bytes_of(kv_dtype);
  return work;
}

Operands MlaGeneration::operands() const {
  Operands operands = {rows_operand("q", shape(), {batch, heads, kMlaCached})};
  add_cache_operands(shape(), operands);
  return operands;
}

}  // namespace perfatlas
