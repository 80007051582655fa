// SPDX-License-Identifier: Apache-2.0
// The whole definition of the ops "mla_context_module" and "mla_generation_module": a multi-head latent attention block
// of one rank, from the hidden state to the output projection, without the all-reduce behind it (DeepSeek-AI,
// "DeepSeek-V2", 2024, section 2.1).
#pragma once

#include "perfatlas/ops/mla_module/mla_module_case.h"

namespace perfatlas {

inline Symbol default_mla_architecture() {
  static const Symbol name("DeepseekV3ForCausalLM");
  return name;
}
inline Symbol default_mla_model() {
  static const Symbol name("deepseek-ai/DeepSeek-V3");
  return name;
}

/// Position of each operand of both ops. The weights of the heads are w_kv in context (keys and values are expanded)
/// and w_uk and w_uv in generation (queries are absorbed instead).
enum MlaModuleOperand : size_t {
  mla_x_at,
  mla_w_down_at,
  mla_q_norm_at,
  mla_kv_norm_at,
  mla_w_q_at,
  mla_w_out_at,
  mla_cos_sin_at,
  mla_position_at,
  mla_cache_at,
  mla_page_table_at,
  mla_w_kv_at,                // context
  mla_w_uk_at = mla_w_kv_at,  // generation
  mla_context_out_at,
  mla_w_uv_at = mla_context_out_at,
  mla_generation_out_at
};

/// `isl` new tokens per sequence attend to each other and to `step` cached ones:
///   (q', c', r') = x w_down^T; q = norm(q') w_q^T per head (nope, rope); c = norm(c'); rope parts of q and r' rotated;
///   (c, r) goes to the paged cache; k = (c w_k^T, r) and v = c w_v^T per head, of cached tokens, too;
///   out = concat over heads of softmax(q k^T / sqrt(nope + rope)) v, times w_out^T.
struct MlaContextModule : MlaModuleCase {
  MlaContextModule(MlaModuleCase c = {}) : MlaModuleCase(std::move(c)) {
    if (model == Symbol()) model = default_mla_model();
    if (architecture == Symbol()) architecture = default_mla_architecture();
  }
  bool operator==(const MlaContextModule&) const = default;

  static constexpr OpInfo info{
      .id = "mla_context_module",
      .table = "mla_context_module_perf",
      .op_name = "mla_context_module",
      .doc =
          "Whole latent attention block for new tokens: down- and up-projections, norms, RoPE, cache write, "
          "causal "
          "attention with expanded keys and values, output projection.",
      .sol =
          "max(2*tokens*weights + 2*batch_size*num_heads*(nope + rope + v)*pairs over the peak of the faster "
          "type, "
          "(weights*gemm_bytes + batch_size*(step + isl)*(kv_lora + rope)*kv_bytes) / memory_bw, (x + out "
          "bytes) / "
          "llc_bw); weights = hidden*(q_lora + kv_lora + rope) + num_heads*(q_lora*(nope + rope) + "
          "kv_lora*(nope + v) "
          "+ v*hidden); pairs = sum over i < isl of step + i + 1",
  };

  static constexpr auto fields = kMlaModuleFields;
  static const std::array<Axis<MlaContextModule>, 4> axes;
  static constexpr TableLayout layout{
      .why =
          "token-non-equivalent: the projections depend on batch*isl alone, but pairs grow with the square "
          "of isl; "
          "the square root of latency is nearly linear in isl where attention binds",
  };

  std::string_view why_invalid() const;
  Work work() const;

  /// x[tokens, hidden], w_down[q_lora + kv_lora + rope, hidden], q_norm[q_lora], kv_norm[kv_lora], w_q[heads*(nope +
  /// rope), q_lora], w_out[hidden, heads*v], cos_sin, position, cache, page_table (mla_module_case.h), w_kv[heads*(nope
  /// + v), kv_lora], out[tokens, hidden].
  Operands operands() const;
  /// Results of every part are rounded to the activation type, as they are handed on.
  void reference(std::vector<HostOperand>& data) const;

  static void model_cases(const ModelShapes& shapes, const CaseSink<MlaContextModule>& sink);

  /// The published grid: 3,904 cases at sm 90, 2,928 from sm 100 on (TensorRT-LLM).
  static void aic_cases(const AicGrid& grid, const CaseSink<MlaContextModule>& sink);
};
inline constexpr std::array<Axis<MlaContextModule>, 4> MlaContextModule::axes =
    mla_context_axes<MlaContextModule>(Transform::sqrt);
static_assert(Operation<MlaContextModule>);

/// One new token per sequence; as in context, but absorbed: with q = (q_nope, q_rope) of a head,
///   p = softmax((q_nope w_uk) . c + q_rope . r) over the cached latents, output of the head = (p c) w_uv.
struct MlaGenerationModule : MlaModuleCase {
  MlaGenerationModule(MlaModuleCase c = {}) : MlaModuleCase(std::move(c)) {
    if (model == Symbol()) model = default_mla_model();
    if (architecture == Symbol()) architecture = default_mla_architecture();
  }
  bool operator==(const MlaGenerationModule&) const = default;

  static constexpr OpInfo info{
      .id = "mla_generation_module",
      .table = "mla_generation_module_perf",
      .op_name = "mla_generation_module",
      .doc =
          "Whole latent attention block for one new token per sequence: projections, norms, RoPE, cache "
          "write, "
          "absorbed attention to the paged latents, output projection.",
      .sol =
          "max(2*batch_size*weights + 2*batch_size*num_heads*(2*kv_lora + rope)*(step + 1) over the peak of "
          "the faster "
          "type, (weights*gemm_bytes + batch_size*(step + 1)*(kv_lora + rope)*kv_bytes) / memory_bw, (x + "
          "out bytes) / "
          "llc_bw); weights as in mla_context_module",
  };

  static constexpr auto fields = kMlaModuleFields;
  static const std::array<Axis<MlaGenerationModule>, 3> axes;
  static constexpr TableLayout layout{
      .why =
          "token-non-equivalent: the projections depend on batch alone, the attention on batch*s latents "
          "read for "
          "batch queries",
  };

  std::string_view why_invalid() const;
  Work work() const;

  /// As MlaContextModule up to page_table, then w_uk[heads*nope, kv_lora] (of head h the rows from h*nope on), w_uv[
  /// heads*kv_lora, v], out[tokens, hidden].
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  static void model_cases(const ModelShapes& shapes, const CaseSink<MlaGenerationModule>& sink);

  /// The published grid: 5,888 cases at sm 90, 4,416 from sm 100 on (TensorRT-LLM).
  static void aic_cases(const AicGrid& grid, const CaseSink<MlaGenerationModule>& sink);
};
inline constexpr std::array<Axis<MlaGenerationModule>, 3> MlaGenerationModule::axes =
    mla_generation_axes<MlaGenerationModule>();
static_assert(Operation<MlaGenerationModule>);

}  // namespace perfatlas
