// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/graph/deepseek_impl.h"

namespace perfatlas::estimate {
namespace {

/// TensorRT-LLM overlaps the launch of dependent decode kernels; layers take this share of their sum.
constexpr double kDependentLaunchFactor = 0.9;
/// SGLang's joint down-projection, before and inside the measured block.
constexpr int64_t kDownscale = 2112;

void add_latent_kernels(PhaseGraph& g, const LatentBlock& block, double count) {
  const LatentWidths& w = block.widths;
  const int64_t tp = g.ranks().tp, heads = g.sizes().heads;
  g.gemm("downscale_gemm", count, {w.downscale(), g.hidden()}, block.modes.downscale);
  g.elementwise("q_a_layernorm", count, w.q_lora, w.q_lora);
  g.gemm("q_b_proj_gemm", count, {heads * (w.nope + w.rope) / tp, w.q_lora}, block.modes.q);
  if (g.context()) {
    g.gemm("kv_b_proj_gemm", count, {heads * (w.nope + w.v) / tp, w.kv_lora}, block.modes.kv);
    g.add(aic::ContextMla{{"attention"}, aic::kLatentTableHeads / tp, g.quant().kv, g.quant().fmha, 1},
          count);
  } else {
    PhaseGraph product = g.fork(), write = g.fork();
    product.add(aic::MlaBmm{{"bmm_pre"}, heads / tp, block.bmm, true}, count);
    write.elementwise("rope_kvcache", count, w.kv_lora + w.rope, w.kv_lora + w.rope);
    g.add_group(aic::Overlap{"bmm_rope_overlap", product.take(), write.take()});
    g.add(aic::GenerationMla{{"attention"}, aic::kLatentTableHeads / tp, g.quant().kv}, count);
    g.add(aic::MlaBmm{{"bmm_post"}, heads / tp, block.bmm, false}, count);
  }
  g.gemm("proj_gemm", count, {g.hidden(), heads * w.v / tp}, block.modes.o);
}

}  // namespace

void add_deepseek_wide_trtllm(PhaseGraph& g, const LatentBlock& attention, const ExpertBlock& experts) {
  const double count = double(g.sizes().layers) * (g.context() ? 1 : kDependentLaunchFactor);
  g.embedding(g.sizes().vocab);
  g.norm("add_norm_1", count);
  add_latent_kernels(g, attention, count);
  g.norm("add_norm_2", count);
  add_wide_expert_block(g, experts, count);
  g.logits();
  g.p2p();
}

void add_deepseek_wide_sglang(PhaseGraph& g, const LatentBlock& attention, const ExpertBlock& experts) {
  const double layers = double(g.sizes().layers);
  const int64_t tp = g.ranks().tp;
  const std::string& chosen = g.deployment().attention_backend;
  const aic::QuantMode mode = attention.modes.downscale;
  g.gemm("qkv_a_proj_gemm", layers, {kDownscale, g.hidden()}, mode, {.token_divisor = g.context() ? tp : 1});
  if (g.context() && tp > 1)
    g.collective("tp_all_gather", layers, "all_gather", double(g.hidden()), tp, aic::QuantMode::half);
  g.embedding(g.sizes().vocab);
  g.norm("add_norm_1", layers);
  g.gemm("downscale_gemm", layers, {kDownscale, g.hidden()}, mode);
  aic::WideEpMla block;
  block.name = "attention";
  block.context = g.context();
  block.tp_size = tp;
  block.kv_quant = g.quant().kv;
  block.fmha_quant = g.quant().fmha;
  block.attn_backend = chosen.empty() || chosen == "default" ? "flashinfer" : chosen;
  block.cp_size = g.context_ranks();
  g.add(block, layers);
  g.share_kv(layers, latent_kv_bytes_per_token(g.sizes(), attention.widths, g.quant().kv) / layers);
  if (g.context() && tp > 1)
    g.collective("tp_reduce_scatter", layers, "reduce_scatter", double(g.hidden()), tp, aic::QuantMode::half);
  // DeepEP's dispatch was measured with the router in it.
  const std::string& transport =
      g.context() ? g.deployment().transport.context : g.deployment().transport.generation;
  add_wide_expert_block(g, experts, layers, /*router=*/!transport.starts_with("deepep"));
}

}  // namespace perfatlas::estimate
