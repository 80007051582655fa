// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/attention/attention.h"

#include <cmath>

namespace perfatlas {
namespace {

template <class Op>
AttentionShape shape_of(const Op& op) {
  return {.batch = op.batch,
          .isl = op.isl,
          .step = op.step,
          .heads = op.heads,
          .kv_heads = op.kv_heads,
          .head_dim = op.head_dim,
          .window = op.window,
          .dtype = op.dtype,
          .kv_dtype = op.kv_dtype};
}

template <class Op>
void set_heads_of(Op& op, int64_t heads) {
  if (op.kv_heads == op.heads) op.kv_heads = heads;
  op.heads = heads;
}

}  // namespace

Likeness attention_likeness(const AttentionShape& shape) {
  constexpr double kMultiHead = 32;  // the key/value heads that it is taken for
  const bool multi_head = shape.kv_heads == shape.heads;
  return {{std::log2(double(shape.head_dim)), std::log2(multi_head ? kMultiHead : double(shape.kv_heads)),
           multi_head ? std::sqrt(2.0) : 0.0}};
}

AttentionShape AttentionContext::shape() const { return shape_of(*this); }
void AttentionContext::set_heads(AttentionContext& op, int64_t heads) { set_heads_of(op, heads); }
std::string_view AttentionContext::why_invalid() const {
  if (beams != 1) return "beam_width must be 1";
  return why_invalid_attention(shape());
}

AttentionShape AttentionGeneration::shape() const { return shape_of(*this); }
void AttentionGeneration::set_heads(AttentionGeneration& op, int64_t heads) { set_heads_of(op, heads); }
std::string_view AttentionGeneration::why_invalid() const {
  if (beams != 1) return "beam_width must be 1";
  if (isl != 1) return "isl must be 1: generation takes one new token per sequence";
  return why_invalid_attention(shape());
}

}  // namespace perfatlas
