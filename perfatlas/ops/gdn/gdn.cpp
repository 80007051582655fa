// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/gdn/gdn.h"

namespace perfatlas {
namespace {

bool is_conv(const Gdn& op) {
  return op.kernel.text() == Gdn::kConvFn || op.kernel.text() == Gdn::kConvUpdate;
}

bool is_rule(const Gdn& op) {
  return op.kernel.text() == Gdn::kChunkRule || op.kernel.text() == Gdn::kRecurrentRule;
}

bool in_wrong_phase(const Gdn& op) {
  const std::string_view name = op.kernel.text();
  if (op.phase == LinearPhase::context) return name == Gdn::kConvUpdate || name == Gdn::kRecurrentRule;
  return name == Gdn::kConvFn || name == Gdn::kChunkRule;
}

/// Multiply-adds of the chunked algorithm, times two: per chunk the causal halves of k k^T and q k^T (per key head) and
/// of the two products with values (per value head), the state that the chunk leaves, and, but for the first chunk,
/// what the keys and queries read from the state before it.
double chunk_flops(const Gdn& op) {
  const double state = double(op.v_heads * op.k_dim) * double(op.v_dim);
  const double per_pair = 2.0 * double(op.k_heads * op.k_dim + op.v_heads * op.v_dim);
  const ChunkSums sums = chunk_sums(op.seq, Gdn::kChunk);
  const double state_steps = double(op.seq) + 2 * sums.carried;
  return (sums.pairs * per_pair + 2 * state_steps * state) * double(op.batch);
}

struct Shape {
  int64_t d_model, v_heads, most_ranks;
  std::string_view model;
};

/// 16 key heads, head dimensions 128 and d_conv 4 throughout.
constexpr Shape kPublished[] = {
    {1024, 16, 8, "Qwen/Qwen3.5-0.8B"},       {2048, 16, 8, "Qwen/Qwen3.5-2B"},
    {2560, 32, 16, "Qwen/Qwen3.5-4B"},        {4096, 32, 16, "Qwen/Qwen3.5-9B"},
    {5120, 48, 8, "Qwen/Qwen3.5-27B"},        {2048, 32, 16, "Qwen/Qwen3.5-35B-A3B"},
    {3072, 64, 16, "Qwen/Qwen3.5-122B-A10B"}, {4096, 64, 16, "Qwen/Qwen3.5-397B-A17B"},
};

void sweep_published(Gdn op, const CaseSink<Gdn>& sink) {
  for (const std::string_view kernel : {Gdn::kConvFn, Gdn::kChunkRule}) {
    op.kernel = Symbol(kernel);
    for (const int64_t batch : kLinearContextBatches)
      for (const int64_t seq : kLinearContextLengths) {
        op.batch = batch;
        Gdn::set_seq(op, seq);
        sink(op);
      }
  }
  op.phase = LinearPhase::generation;
  Gdn::set_seq(op, 1);
  for (const std::string_view kernel : {Gdn::kConvUpdate, Gdn::kRecurrentRule}) {
    op.kernel = Symbol(kernel);
    for (const int64_t batch : kLinearGenerationBatches) {
      Gdn::set_batch(op, batch);
      sink(op);
    }
  }
}

}  // namespace

std::string_view Gdn::why_invalid() const {
  if (batch < 1 || seq < 1 || d_model < 1 || k_heads < 1 || k_dim < 1 || v_heads < 1 || v_dim < 1)
    return "batch_size, seq_len, d_model, head counts and head dimensions must be positive";
  if (d_conv < 2) return "d_conv must be at least 2: a convolution of one token has no state";
  if (tokens != batch * seq) return "num_tokens must be batch_size * seq_len";
  if (v_heads % k_heads != 0) return "num_k_heads must divide num_v_heads";
  if (phase == LinearPhase::generation && seq != 1) return "seq_len must be 1 in generation";
  if (kernel == Symbol()) return "kernel_source must name a sub-kernel";
  if (in_wrong_phase(*this)) return "kernel_source belongs to the other phase";
  return {};
}

CausalConvShape Gdn::conv_shape() const {
  return {phase, batch, seq, 2 * k_heads * k_dim + v_heads * v_dim, d_conv, false};
}

Work Gdn::work() const {
  if (is_conv(*this)) return causal_conv_work(conv_shape());
  const auto rows = double(tokens), values = double(v_heads * v_dim);
  const double state = double(k_dim) * values, state_bytes = 4 * state * double(batch);
  const bool context = phase == LinearPhase::context;
  return {
      .flops = context ? chunk_flops(*this) : 7 * state * double(batch),  // decay, S^T k, update, S^T q
      .kv_bytes_read = context ? 0 : state_bytes,
      .activation_bytes_read =
          rows * (2.0 * (2.0 * double(k_heads * k_dim) + values) + (4.0 + 2.0) * double(v_heads)),
      .kv_bytes_written = state_bytes,
      .bytes_written = 2.0 * rows * values,
      .math = context ? DType::bf16 : DType::f32,
  };
}

Operands Gdn::operands() const {
  using enum DType;
  if (is_conv(*this)) return causal_conv_operands(conv_shape());
  if (!is_rule(*this)) return {};
  Operand g = linear_input("g", f32, {batch, seq, v_heads});
  g.fill = Fill::custom;
  g.content = uniform_between(-0.5, 0);  // memories from two tokens on, as trained gates have
  Operand beta = linear_input("beta", bf16, {batch, seq, v_heads});
  beta.fill = Fill::custom;
  beta.content = uniform_between(0, 1);  // a sigmoid
  return {
      linear_input("q", bf16, {batch, seq, k_heads, k_dim}),
      linear_input("k", bf16, {batch, seq, k_heads, k_dim}),
      linear_input("v", bf16, {batch, seq, v_heads, v_dim}),
      g,
      beta,
      linear_state("state", f32, {batch, v_heads, k_dim, v_dim}),
      linear_output("o", bf16, {batch, seq, v_heads, v_dim}),
  };
}

void Gdn::model_cases(const ModelShapes& shapes, const CaseSink<Gdn>& sink) {
  linear_model_cases(shapes, sink, [](const Gdn& op) { return linear_lengths(op.phase); });
}

void Gdn::aic_cases(const AicGrid&, const CaseSink<Gdn>& sink) {
  for (const Shape& shape : kPublished)
    for (int64_t ranks = 1; ranks <= shape.most_ranks; ranks *= 2)
      sweep_published({.d_model = shape.d_model,
                       .k_heads = 16 / ranks,
                       .v_heads = shape.v_heads / ranks,
                       .model = Symbol(shape.model)},
                      sink);
}

}  // namespace perfatlas
