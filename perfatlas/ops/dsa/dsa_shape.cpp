// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/dsa/dsa_shape.h"

#include <algorithm>

#include "perfatlas/ops/dsa/dsa_numbers.h"

namespace perfatlas {
namespace {

double triangle(double n) { return n * (n + 1) / 2; }  // 1 + 2 + ... + n

void draw_selection(const DsaShape& s, uint64_t seed, std::vector<int32_t>& positions) {
  DsaNumbers numbers(seed);
  std::fill(positions.begin(), positions.end(), -1);
  for (int64_t token = 0; token < s.tokens(); ++token) {
    const int64_t visible = s.visible(token % s.isl), selected = s.selected(token % s.isl);
    for (int64_t j = 0; j < selected; ++j) {
      const int64_t first = j * visible / selected, last = (j + 1) * visible / selected;
      positions[size_t(token * s.geometry.topk + j)] =
          int32_t(first + int64_t(numbers.next() % uint64_t(last - first)));
    }
  }
}

}  // namespace

double DsaShape::visible_pairs() const { return triangle(double(context_tokens())) - triangle(double(step)); }

double DsaShape::selected_pairs() const {
  const auto full = double(context_tokens()), before = double(step), most = double(geometry.topk);
  if (full <= most) return triangle(full) - triangle(before);
  if (before >= most) return double(isl) * most;
  return triangle(most) - triangle(before) + (full - most) * most;
}

double DsaShape::contested_pairs() const {
  const auto first = double(std::max(step, geometry.topk));  // tokens before see everything they attend to
  return selects() ? triangle(double(context_tokens())) - triangle(first) : 0;
}

int64_t DsaShape::prefix_selected() const { return std::max<int64_t>(selected(isl - 1) - isl, 0); }

std::string_view why_invalid_dsa(const DsaShape& s) {
  if (!s.geometry.sparse())
    return "architecture must be one with an indexer: DeepseekV32ForCausalLM, GlmMoeDsaForCausalLM or "
           "TinyDsa";
  if (s.batch < 1 || s.isl < 1 || s.heads < 1) return "batch, isl and heads must be positive";
  if (s.step < 0) return "step must not be negative";
  return why_invalid_attention_types(s.dtype, s.kv_dtype);
}

Operand dsa_page_table(const DsaShape& s) {
  return {.name = "page_table",
          .role = OperandRole::activation,
          .dtype = DType::int32,
          .shape = {s.batch, s.pages_per_sequence()},
          .fill = Fill::page_table};
}

Operand dsa_selection(const DsaShape& s) {
  return {.name = "selected",
          .role = OperandRole::activation,
          .dtype = DType::int32,
          .shape = {s.tokens(), s.geometry.topk},
          .fill = Fill::custom,
          .content = [s](uint64_t seed, HostOperand& content) { draw_selection(s, seed, content.indices); }};
}

}  // namespace perfatlas
