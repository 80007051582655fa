// SPDX-License-Identifier: Apache-2.0
// Work, operands and grids of the three kernels of sparse attention.
#include "perfatlas/ops/dsa/dsa_attention.h"
#include "perfatlas/ops/dsa/dsa_mqa_logits.h"
#include "perfatlas/ops/dsa/dsa_numbers.h"
#include "perfatlas/ops/dsa/dsa_topk.h"

namespace perfatlas {
namespace {

double page_table_bytes(const DsaShape& s) { return double(s.pages()) * bytes_of(DType::int32); }

void draw_scores(const DsaTopk& op, uint64_t seed, std::vector<float>& scores) {
  const DsaShape s = op.shape();
  DsaNumbers numbers(seed);
  const int64_t first_high = s.context_tokens() - s.geometry.topk;
  for (int64_t token = 0; token < s.tokens(); ++token)
    for (int64_t at = 0; at < s.context_tokens(); ++at) {
      float& score = scores[size_t(token * s.context_tokens() + at)];
      if (op.mode == ScoreMode::flat)
        score = 0;
      else
        score = at < first_high ? -5 + 0.05F * numbers.bell() : 5 + numbers.bell();
    }
}

/// isl new tokens without prefix, then one new token after as many cached ones.
template <class Op>
void emit_grid(const ModelShapes& shapes, const CaseSink<Op>& sink) {
  for (Op op : shapes.of<Op>())
    for (const int64_t batch : kBatchLadder)
      for (const int64_t length : kSequenceLadder)
        for (const bool context : {true, false}) {
          op.batch = batch;
          op.isl = context ? length : 1;
          op.step = context ? 0 : length;
          const DsaShape s = op.shape();
          if (double(s.tokens()) * double(s.context_tokens()) <= kMostDsaScores) sink(op);
        }
}

}  // namespace

Work DsaMqaLogits::work() const {
  const DsaShape s = shape();
  const MlaGeometry& g = s.geometry;
  const double rows = double(s.tokens()) * double(g.index_heads), sequences = double(batch);
  return {
      .flops = 2 * sequences * double(g.index_heads) * double(g.index_dim) * s.visible_pairs(),
      .kv_bytes_read = sequences * double(s.context_tokens()) * double(g.index_dim) * bytes_of(kv_dtype),
      .activation_bytes_read =
          rows * (double(g.index_dim) * bytes_of(activation_type(dtype)) + 4) + page_table_bytes(s),
      .bytes_written = 4 * sequences * s.visible_pairs(),
      .math = dtype,
  };
}

Operands DsaMqaLogits::operands() const {
  using enum OperandRole;
  const DsaShape s = shape();
  const MlaGeometry& g = s.geometry;
  return {
      {.name = "q",
       .role = activation,
       .dtype = activation_type(dtype),
       .shape = {s.tokens(), g.index_heads, g.index_dim}},
      {.name = "weights", .role = activation, .dtype = DType::f32, .shape = {s.tokens(), g.index_heads}},
      {.name = "k_cache", .role = kv, .dtype = kv_dtype, .shape = {s.pages(), kPageTokens, g.index_dim}},
      dsa_page_table(s),
      {.name = "logits",
       .role = output,
       .dtype = DType::f32,
       .shape = {s.tokens(), s.context_tokens()},
       .fill = Fill::none,
       .written = true},
  };
}

Work DsaTopk::work() const {
  const DsaShape s = shape();
  return {
      .activation_bytes_read = 4 * double(batch) * s.contested_pairs(),
      .bytes_written = 4 * double(s.tokens()) * double(s.geometry.topk),
  };
}

Operands DsaTopk::operands() const {
  using enum OperandRole;
  const DsaShape s = shape();
  Operand logits{
      .name = "logits", .role = activation, .dtype = DType::f32, .shape = {s.tokens(), s.context_tokens()}};
  if (mode != ScoreMode::normal) {
    logits.fill = Fill::custom;
    logits.content = [op = *this](uint64_t seed, HostOperand& content) {
      draw_scores(op, seed, content.values);
    };
  }
  return {logits,
          {.name = "selected",
           .role = output,
           .dtype = DType::int32,
           .shape = {s.tokens(), s.geometry.topk},
           .fill = Fill::none,
           .written = true}};
}

Work DsaAttention::work() const {
  const DsaShape s = shape();
  const MlaGeometry& g = s.geometry;
  const double rows = double(s.tokens()) * double(heads), sequences = double(batch);
  const double activation = bytes_of(activation_type(dtype));
  return {
      .flops = 2 * sequences * double(heads) * double(g.latent() + g.kv_lora) * s.selected_pairs(),
      .kv_bytes_read = sequences * double(s.selected(isl - 1)) * double(g.latent()) * bytes_of(kv_dtype),
      .activation_bytes_read =
          rows * double(g.latent()) * activation + 4 * sequences * s.selected_pairs() + page_table_bytes(s),
      .bytes_written = rows * double(g.kv_lora) * activation,
      .math = dtype,
  };
}

Operands DsaAttention::operands() const {
  using enum OperandRole;
  const DsaShape s = shape();
  const MlaGeometry& g = s.geometry;
  const DType type = activation_type(dtype);
  return {
      {.name = "q", .role = activation, .dtype = type, .shape = {s.tokens(), heads, g.latent()}},
      {.name = "cache", .role = kv, .dtype = kv_dtype, .shape = {s.pages(), kPageTokens, g.latent()}},
      dsa_page_table(s),
      dsa_selection(s),
      {.name = "out",
       .role = output,
       .dtype = type,
       .shape = {s.tokens(), heads, g.kv_lora},
       .fill = Fill::none,
       .written = true},
  };
}

void DsaMqaLogits::model_cases(const ModelShapes& shapes, const CaseSink<DsaMqaLogits>& sink) {
  emit_grid(shapes, sink);
}
void DsaTopk::model_cases(const ModelShapes& shapes, const CaseSink<DsaTopk>& sink) {
  emit_grid(shapes, sink);
}
void DsaAttention::model_cases(const ModelShapes& shapes, const CaseSink<DsaAttention>& sink) {
  emit_grid(shapes, sink);
}

}  // namespace perfatlas
