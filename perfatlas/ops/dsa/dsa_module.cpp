// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/dsa/dsa_module.h"

#include "perfatlas/ops/mla_module/mla_module_grid.h"

namespace perfatlas {
namespace {

constexpr AicModel kAicModels[] = {{"deepseek-ai/DeepSeek-V3.2", "DeepseekV32ForCausalLM"},
                                   {"zai-org/GLM-5", "GlmMoeDsaForCausalLM"}};
/// Only this one reuses selections.
constexpr AicModel kAicSkippingModels[] = {{"zai-org/GLM-5.2", "GlmMoeDsaForCausalLM"}};

/// Elements of the weights of one block; the indexer's part of w_down included.
double weights_of(const MlaModuleCase& c, DsaIndexer indexer) {
  const MlaGeometry& g = c.geometry();
  double weights =
      double(g.hidden * (g.q_lora + g.latent())) +
      double(c.heads) * double(g.q_lora * g.head() + g.kv_lora * (g.nope + g.v) + g.v * g.hidden);
  if (indexer == DsaIndexer::own)
    weights +=
        double(g.index_heads) * double(g.q_lora * g.index_dim + g.hidden) + double(g.hidden * g.index_dim);
  return weights;
}

std::vector<DType> aic_kv_types(const AicGrid& grid) {
  const int first_fp8 = grid.framework == AicFramework::trtllm ? 100 : 90;
  return grid.sm_version >= first_fp8 ? std::vector{DType::bf16, DType::fp8_e4m3} : std::vector{DType::bf16};
}

void add_indexer_operands(const MlaModuleCase& c, Operands& operands) {
  const MlaGeometry& g = c.geometry();
  operands.push_back(mla_weight(c, "w_index_q", g.index_heads * g.index_dim, g.q_lora));
  operands.push_back(mla_weight(c, "w_index_head", g.index_heads, g.hidden));
  operands.push_back(mla_norm_weight(c, "index_scale", g.index_dim));
  operands.push_back(mla_norm_weight(c, "index_shift", g.index_dim));
  operands.back().fill = Fill::small;
  operands.push_back({.name = "index_cache",
                      .role = OperandRole::kv,
                      .dtype = c.kv_dtype,
                      .shape = {c.pages(), kPageTokens, g.index_dim},
                      .written = true});
}

}  // namespace

DsaShape dsa_shape_of(const MlaModuleCase& c) {
  return {.batch = c.batch,
          .isl = c.isl,
          .step = c.step,
          .heads = c.heads,
          .geometry = c.geometry(),
          .dtype = c.dtype,
          .kv_dtype = c.kv_dtype};
}

std::string_view why_invalid_dsa_module(const MlaModuleCase& c, DsaPhase phase) {
  if (const std::string_view why = why_invalid_mla_module(c); !why.empty()) return why;
  if (phase == DsaPhase::generation && c.isl != 1)
    return "isl must be 1: generation takes one new token per sequence";
  return why_invalid_dsa(dsa_shape_of(c));
}

Work dsa_module_work(const MlaModuleCase& c, DsaIndexer indexer) {
  const DsaShape s = dsa_shape_of(c);
  const MlaGeometry& g = s.geometry;
  const double sequences = double(c.batch), kv_bytes = bytes_of(c.kv_dtype);
  Work work = mla_module_work(c, weights_of(c, indexer));
  work.flops += 2 * sequences * double(c.heads) * double(g.latent() + g.kv_lora) * s.selected_pairs();
  work.kv_bytes_read = sequences * double(s.prefix_selected() * g.latent()) * kv_bytes;
  work.kv_bytes_written = double(c.tokens() * g.latent()) * kv_bytes;
  const double choices = 4 * double(c.tokens() * g.topk);
  if (indexer == DsaIndexer::shared) {
    work.activation_bytes_read += choices;
    return work;
  }
  work.flops += 2 * sequences * double(g.index_heads * g.index_dim) * s.contested_pairs();
  if (s.selects()) work.kv_bytes_read += sequences * double(c.step * g.index_dim) * kv_bytes;
  work.kv_bytes_written += double(c.tokens() * g.index_dim) * kv_bytes;
  work.bytes_written += choices;
  return work;
}

Operands dsa_module_operands(const MlaModuleCase& c, DsaIndexer indexer) {
  const MlaGeometry& g = c.geometry();
  const bool own = indexer == DsaIndexer::own;
  Operand selected = dsa_selection(dsa_shape_of(c));
  if (own) {
    selected.role = OperandRole::output;
    selected.fill = Fill::none;
    selected.content = nullptr;
    selected.written = selected.choice = true;
  }
  Operands operands = {mla_input(c),
                       mla_weight(c, "w_down", g.q_lora + g.latent() + (own ? g.index_dim : 0), g.hidden),
                       mla_norm_weight(c, "q_norm", g.q_lora),
                       mla_norm_weight(c, "kv_norm", g.kv_lora),
                       mla_weight(c, "w_q", c.heads * g.head(), g.q_lora),
                       mla_weight(c, "w_out", g.hidden, c.heads * g.v),
                       mla_cos_sin(c),
                       mla_position(c),
                       mla_cache(c),
                       mla_page_table(c),
                       mla_weight(c, "w_uk", c.heads * g.nope, g.kv_lora),
                       mla_weight(c, "w_uv", c.heads * g.kv_lora, g.v),
                       selected,
                       mla_output(c)};
  if (own) add_indexer_operands(c, operands);
  return operands;
}

void dsa_module_aic_cases(const AicGrid& grid, DsaPhase phase, DsaIndexer indexer,
                          const std::function<void(const MlaModuleCase&)>& sink) {
  if (grid.sm_version < 90) return;
  if (indexer == DsaIndexer::shared && grid.framework != AicFramework::sglang) return;
  const std::span<const AicModel> models = indexer == DsaIndexer::shared
                                               ? std::span<const AicModel>(kAicSkippingModels)
                                               : std::span<const AicModel>(kAicModels);
  const std::vector<DType> kv_types = aic_kv_types(grid);
  if (phase == DsaPhase::context)
    emit_aic_context_modules(grid, models, kv_types, sink);
  else
    emit_aic_generation_modules(grid, models, kv_types, sink);
}

void dsa_module_model_cases(const std::vector<MlaModuleCase>& prototypes, DsaPhase phase,
                            const std::function<void(const MlaModuleCase&)>& sink) {
  if (phase == DsaPhase::context)
    emit_model_context_modules(prototypes, sink);
  else
    emit_model_generation_modules(prototypes, sink);
}

static_assert(Operation<DsaContextModule> && Operation<DsaGenerationModule>);
static_assert(Operation<DsaContextModuleSkipIndexer> && Operation<DsaGenerationModuleSkipIndexer>);

}  // namespace perfatlas
