// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/models/step_builder.h"

#include "perfatlas/ops/activation/activation.h"
#include "perfatlas/ops/add_rms_norm/add_rms_norm.h"
#include "perfatlas/ops/attention/attention.h"
#include "perfatlas/ops/collective/collective.h"
#include "perfatlas/ops/embedding/embedding.h"
#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/ops/logits_sample/logits_sample.h"
#include "perfatlas/ops/rms_norm/rms_norm.h"
#include "perfatlas/ops/rope/rope.h"

namespace perfatlas {

StepBuilder::StepBuilder(const OpRegistry& ops, const StepShape& shape, const Parallelism& ranks,
                         const ModelTypes& types, int64_t hidden)
    : ops_(ops), shape_(shape), ranks_(ranks), types_(types), hidden_(hidden) {}

void StepBuilder::embedding(int64_t vocab) {
  add("embedding",
      Embedding{
          .dtype = types_.activation, .tokens = tokens(), .hidden = hidden_, .vocab = vocab / ranks_.tp},
      1);
}

void StepBuilder::add_norm(const std::string& name, int64_t count) {
  add(name, AddRmsNorm{types_.activation, tokens(), hidden_}, count);
}

void StepBuilder::norm(const std::string& name, int64_t rows_per_token, int64_t width, int64_t count) {
  add(name, RmsNorm{types_.activation, tokens() * rows_per_token, width}, count);
}

void StepBuilder::linear(const std::string& name, int64_t out, int64_t in, int64_t count, Quant quant) {
  add(name, Gemm{quant, tokens(), out, in}, count);
}

void StepBuilder::projection(const std::string& name, int64_t out, int64_t in, int64_t count) {
  linear(name, out, in, count, types_.projection);
}

void StepBuilder::output(const std::string& name, int64_t out, int64_t in, int64_t count) {
  linear(name, out, in, count, types_.output);
}

void StepBuilder::attention(const AttentionSizes& s, int64_t count, const std::string& suffix) {
  const int64_t heads = s.heads / ranks_.tp;
  const int64_t kv_heads = (s.kv_heads + ranks_.tp - 1) / ranks_.tp;  // replicated when fewer than ranks
  const int64_t queries = s.output_gate ? 2 * heads : heads;
  projection("qkv_gemm" + suffix, (queries + 2 * kv_heads) * s.head_dim, hidden_, count);
  if (s.head_norms) {
    norm("q_norm" + suffix, heads, s.head_dim, count);
    norm("k_norm" + suffix, kv_heads, s.head_dim, count);
  }
  if (s.rotary_dim > 0)
    add("rope" + suffix,
        Rope{.dtype = types_.activation,
             .tokens = tokens(),
             .heads = heads,
             .kv_heads = kv_heads,
             .head_dim = s.head_dim,
             .rotary_dim = s.rotary_dim},
        count);
  const auto fill = [&](auto op) {
    op.batch = shape_.batch;
    op.heads = heads;
    op.kv_heads = kv_heads;
    op.head_dim = s.head_dim;
    op.window = s.window;
    op.dtype = types_.activation;
    op.kv_dtype = types_.kv;
    op.step = shape_.cached;
    return op;
  };
  if (context()) {
    AttentionContext op = fill(AttentionContext{});
    op.isl = shape_.isl;
    add("attention" + suffix, op, count);
  } else {
    add("attention" + suffix, fill(AttentionGeneration{}), count);
  }
  if (s.output_gate)
    add("output_gate" + suffix,
        Activation{.kind = ActivationKind::silu_mul,
                   .dtype = types_.activation,
                   .tokens = tokens(),
                   .inter = heads * s.head_dim},
        count);
  output("proj_gemm" + suffix, hidden_, heads * s.head_dim, count);
  all_reduce("attention_all_reduce" + suffix, count);
}

void StepBuilder::activation(const std::string& name, bool gated, int64_t inter, int64_t count) {
  add(name,
      Activation{.kind = gated ? ActivationKind::silu_mul : ActivationKind::relu2,
                 .dtype = types_.activation,
                 .tokens = tokens(),
                 .inter = inter},
      count);
}

void StepBuilder::dense_ffn(int64_t inter, bool gated, int64_t count) {
  const int64_t local = inter / ranks_.tp;
  linear(gated ? "gate_ffn1_gemm" : "ffn1_gemm", (gated ? 2 : 1) * local, hidden_, count, types_.dense);
  activation("act", gated, local, count);
  linear("ffn2_gemm", hidden_, local, count, types_.dense);
  all_reduce("ffn_all_reduce", count);
}

void StepBuilder::experts(const ExpertSizes& s, std::string_view distribution, int64_t count) {
  const int64_t width = s.hidden > 0 ? s.hidden : hidden_;
  // Routers stay in the activations' type whatever the experts are quantised to.
  linear("router_gemm", s.experts, hidden_, count,
         types_.activation == DType::f32 ? Quant::f32 : Quant::bf16);
  if (s.shared_inter > 0) {
    const int64_t local = s.shared_inter / ranks_.tp;
    linear("shared_ffn1_gemm", (s.gated ? 2 : 1) * local, hidden_, count, types_.shared_expert);
    activation("shared_act", s.gated, local, count);
    linear("shared_ffn2_gemm", hidden_, local, count, types_.shared_expert);
  }
  if (width != hidden_) linear("latent_down_gemm", width, hidden_, count, types_.dense);
  add("moe",
      Moe{.dtype = types_.experts,
          .tokens = tokens(),
          .hidden = width,
          .inter = s.inter,
          .topk = s.topk,
          .experts = s.experts,
          .tp = ranks_.moe_tp,
          .ep = ranks_.moe_ep,
          .distribution = Symbol(distribution),
          .gated = s.gated},
      count);
  if (width != hidden_) linear("latent_up_gemm", hidden_, width, count, types_.dense);
  all_reduce("moe_all_reduce", count);
}

void StepBuilder::all_reduce(const std::string& name, int64_t count) {
  if (ranks_.tp == 1) return;
  add(name,
      Collective{.kind = CollectiveKind::all_reduce,
                 .dtype = types_.activation == DType::f32 ? MessageType::f32 : MessageType::half,
                 .ranks = ranks_.tp,
                 .elements = tokens() * hidden_},
      count);
}

void StepBuilder::logits(int64_t vocab) {
  add("logits_gemm", Gemm{types_.logits, shape_.batch, vocab / ranks_.tp, hidden_}, 1);
  add("sampling", LogitsSample{.dtype = types_.activation, .batch = shape_.batch, .vocab = vocab}, 1);
}

}  // namespace perfatlas
