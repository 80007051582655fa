// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/kda/kda.h"

namespace perfatlas {
namespace {

constexpr int64_t kDraftTokens[] = {2, 4, 8};

bool is_conv(const Kda& op) {
  return op.kernel.text() == Kda::kConvFn || op.kernel.text() == Kda::kConvUpdate;
}

bool is_rule(const Kda& op) {
  const std::string_view name = op.kernel.text();
  return name == Kda::kChunkRule || name == Kda::kDecode || name == Kda::kVerify;
}

bool in_wrong_phase(const Kda& op) {
  const std::string_view name = op.kernel.text();
  if (name == Kda::kConvFn || name == Kda::kChunkRule) return op.phase != KdaPhase::context;
  if (name == Kda::kDecode) return op.phase != KdaPhase::generation;
  return name == Kda::kVerify && op.phase != KdaPhase::verify;
}

}  // namespace

std::string_view Kda::why_invalid() const {
  if (batch < 1 || seq < 1 || d_model < 1 || k_heads < 1 || k_dim < 1 || v_heads < 1 || v_dim < 1)
    return "batch_size, seq_len, d_model, head counts and head dimensions must be positive";
  if (d_conv < 2) return "d_conv must be at least 2: a convolution of one token has no state";
  if (tokens != batch * seq) return "num_tokens must be batch_size * seq_len";
  if (k_heads != v_heads) return "num_k_heads must equal num_v_heads";
  if (phase == KdaPhase::generation && seq != 1) return "seq_len must be 1 in generation";
  if (kernel == Symbol()) return "kernel_source must name a sub-kernel";
  if (in_wrong_phase(*this)) return "kernel_source belongs to another phase";
  return {};
}

CausalConvShape Kda::conv_shape() const {
  const LinearPhase conv_phase = kernel.text() == kConvFn ? LinearPhase::context : LinearPhase::generation;
  // The update takes one token per sequence; drafts are as many sequences.
  const bool update = conv_phase == LinearPhase::generation;
  return {conv_phase, update ? tokens : batch, update ? 1 : seq, 3 * v_heads * v_dim, d_conv, false};
}

Work Kda::work() const {
  if (is_conv(*this)) return causal_conv_work(conv_shape());
  const auto rows = double(tokens), keys = double(k_heads * k_dim), values = double(v_heads * v_dim);
  const double state = double(k_dim) * values, state_bytes = 4 * state * double(batch);
  Work work{
      .kv_bytes_read = phase == KdaPhase::context ? 0 : state_bytes,
      .activation_bytes_read = 2.0 * rows * (3 * keys + values + double(v_heads)),
      .kv_bytes_written = phase == KdaPhase::verify ? 0 : state_bytes,
      .bytes_written = 2.0 * rows * values,
      .math = DType::f32,
  };
  if (phase == KdaPhase::verify) work.bytes_written += state_bytes * double(seq);
  if (phase != KdaPhase::context) work.flops = 7 * state * rows;  // decay, S^T k, update, S^T q
  return work;
}

Operands Kda::operands() const {
  using enum DType;
  if (is_conv(*this)) return causal_conv_operands(conv_shape());
  if (!is_rule(*this)) return {};
  Operand g = linear_input("g", bf16, {batch, seq, k_heads, k_dim});
  g.fill = Fill::custom;
  g.content = uniform_between(-0.5, 0);
  Operand beta = linear_input("beta", bf16, {batch, seq, v_heads});
  beta.fill = Fill::custom;
  beta.content = uniform_between(0, 1);
  Operands operands = {
      linear_input("q", bf16, {batch, seq, k_heads, k_dim}),
      linear_input("k", bf16, {batch, seq, k_heads, k_dim}),
      linear_input("v", bf16, {batch, seq, v_heads, v_dim}),
      g,
      beta,
      linear_state("state", f32, {batch, v_heads, k_dim, v_dim}),
  };
  if (phase == KdaPhase::verify) {
    operands.back().written = false;
    operands.push_back(linear_output("states", f32, {batch, seq, v_heads, k_dim, v_dim}));
  }
  operands.push_back(linear_output("o", bf16, {batch, seq, v_heads, v_dim}));
  return operands;
}

void Kda::model_cases(const ModelShapes& shapes, const CaseSink<Kda>& sink) {
  linear_model_cases(shapes, sink, [](const Kda& op) -> std::span<const int64_t> {
    if (op.phase == KdaPhase::verify) return kDraftTokens;
    return linear_lengths(op.phase == KdaPhase::context ? LinearPhase::context : LinearPhase::generation);
  });
}

}  // namespace perfatlas
