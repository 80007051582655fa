// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mla_module/mla_module.h"

#include "perfatlas/ops/mla_module/mla_module_grid.h"

namespace perfatlas {
namespace {

constexpr AicModel kAicModels[] = {{"deepseek-ai/DeepSeek-V3", "DeepseekV3ForCausalLM"}};

/// Elements of the weights of one block.
double weights_of(const MlaModuleCase& c) {
  const MlaGeometry& g = c.geometry();
  const auto heads = double(c.heads);
  return double(g.hidden * (g.q_lora + g.latent())) +
         heads * double(g.q_lora * g.head() + g.kv_lora * (g.nope + g.v) + g.v * g.hidden);
}

/// Scores and weighted sums: `width` elements of one head are multiplied for each pair of tokens.
void add_attention(const MlaModuleCase& c, int64_t width, Work& work) {
  const auto full = double(c.context_tokens()), before = double(c.step);
  const double pairs = full * (full + 1) / 2 - before * (before + 1) / 2;
  const double latents = double(c.batch) * double(c.geometry().latent()) * bytes_of(c.kv_dtype);
  work.flops += 2 * double(c.batch) * double(c.heads) * double(width) * pairs;
  work.kv_bytes_read = before * latents;
  work.kv_bytes_written = double(c.isl) * latents;
}

std::string_view why_not_dense(const MlaModuleCase& c) {
  if (const std::string_view why = why_invalid_mla_module(c); !why.empty()) return why;
  return c.geometry().sparse() ? "this architecture has sparse attention: see the dsa_*_module ops"
                               : std::string_view();
}

/// Fills the positions before those that only one of the ops has.
Operands shared_operands(const MlaModuleCase& c) {
  const MlaGeometry& g = c.geometry();
  return {mla_input(c),
          mla_weight(c, "w_down", g.q_lora + g.latent(), g.hidden),
          mla_norm_weight(c, "q_norm", g.q_lora),
          mla_norm_weight(c, "kv_norm", g.kv_lora),
          mla_weight(c, "w_q", c.heads * g.head(), g.q_lora),
          mla_weight(c, "w_out", g.hidden, c.heads * g.v),
          mla_cos_sin(c),
          mla_position(c),
          mla_cache(c),
          mla_page_table(c)};
}

std::vector<DType> aic_kv_types(const AicGrid& grid) {
  const bool trtllm = grid.framework == AicFramework::trtllm;
  const bool fp8 = trtllm ? grid.sm_version >= 87 && grid.sm_version <= 99 : grid.sm_version >= 90;
  return fp8 ? std::vector{DType::bf16, DType::fp8_e4m3} : std::vector{DType::bf16};
}

}  // namespace

std::string_view MlaContextModule::why_invalid() const { return why_not_dense(*this); }

Work MlaContextModule::work() const {
  Work work = mla_module_work(*this, weights_of(*this));
  add_attention(*this, geometry().head() + geometry().v, work);
  return work;
}

Operands MlaContextModule::operands() const {
  const MlaGeometry& g = geometry();
  Operands operands = shared_operands(*this);
  operands.push_back(mla_weight(*this, "w_kv", heads * (g.nope + g.v), g.kv_lora));
  operands.push_back(mla_output(*this));
  return operands;
}

void MlaContextModule::model_cases(const ModelShapes& shapes, const CaseSink<MlaContextModule>& sink) {
  emit_model_context_modules(mla_prototypes<MlaContextModule>(shapes), sink);
}

void MlaContextModule::aic_cases(const AicGrid& grid, const CaseSink<MlaContextModule>& sink) {
  emit_aic_context_modules(grid, kAicModels, aic_kv_types(grid), sink);
}

std::string_view MlaGenerationModule::why_invalid() const {
  if (isl != 1) return "isl must be 1: generation takes one new token per sequence";
  return why_not_dense(*this);
}

Work MlaGenerationModule::work() const {
  Work work = mla_module_work(*this, weights_of(*this));
  add_attention(*this, geometry().latent() + geometry().kv_lora, work);
  return work;
}

Operands MlaGenerationModule::operands() const {
  const MlaGeometry& g = geometry();
  Operands operands = shared_operands(*this);
  operands.push_back(mla_weight(*this, "w_uk", heads * g.nope, g.kv_lora));
  operands.push_back(mla_weight(*this, "w_uv", heads * g.kv_lora, g.v));
  operands.push_back(mla_output(*this));
  return operands;
}

void MlaGenerationModule::model_cases(const ModelShapes& shapes, const CaseSink<MlaGenerationModule>& sink) {
  emit_model_generation_modules(mla_prototypes<MlaGenerationModule>(shapes), sink);
}

void MlaGenerationModule::aic_cases(const AicGrid& grid, const CaseSink<MlaGenerationModule>& sink) {
  emit_aic_generation_modules(grid, kAicModels, aic_kv_types(grid), sink);
}

}  // namespace perfatlas
