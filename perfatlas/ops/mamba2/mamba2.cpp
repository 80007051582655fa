// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mamba2/mamba2.h"

namespace perfatlas {
namespace {

enum class Step { convolution, scan, update, other };

Step step_of(const Mamba2& op) {
  const std::string_view name = op.kernel.text();
  if (name == Mamba2::kConvFn || name == Mamba2::kConvUpdate) return Step::convolution;
  if (name == Mamba2::kChunkScan) return Step::scan;
  return name == Mamba2::kStateUpdate ? Step::update : Step::other;
}

bool in_wrong_phase(const Mamba2& op) {
  const std::string_view name = op.kernel.text();
  if (op.phase == LinearPhase::context) return name == Mamba2::kConvUpdate || name == Mamba2::kStateUpdate;
  return name == Mamba2::kConvFn || name == Mamba2::kChunkScan;
}

/// Multiply-adds of the chunked algorithm, times two: per chunk the causal half of C B^T (per group) and of its product
/// with x (per head), the state that the chunk leaves, and, but for the first chunk, what the state before it gives.
double scan_flops(const Mamba2& op) {
  const auto state = double(op.heads * op.head_dim) * double(op.d_state);
  const double per_pair = double(op.groups * op.d_state + op.heads * op.head_dim);
  const ChunkSums sums = chunk_sums(op.seq, op.chunk);
  const double state_steps = double(op.seq) + sums.carried;
  return (sums.pairs * per_pair + 2 * state_steps * state) * double(op.batch);
}

Work recurrence_work(const Mamba2& op, Step step) {
  const auto inner = double(op.heads * op.head_dim), state = inner * double(op.d_state);
  const double state_bytes = 4 * state * double(op.batch);
  Work work{
      .weight_bytes_read = 3 * 4.0 * double(op.heads),
      .activation_bytes_read =
          2.0 * double(op.tokens) * (inner + double(op.heads) + 2.0 * double(op.groups * op.d_state)),
      .kv_bytes_written = state_bytes,
      .bytes_written = 2.0 * double(op.tokens) * inner,
  };
  if (step == Step::scan) {
    work.flops = scan_flops(op);
    work.math = DType::bf16;
  } else {
    work.flops = 5 * state * double(op.batch);  // decay, rank-one update and readout
    work.kv_bytes_read = state_bytes;
    work.math = DType::f32;
  }
  return work;
}

struct Shape {
  int64_t d_model, d_state, heads, groups, chunk;
  std::string_view model;
};

/// head_dim 64 and d_conv 4 throughout. The last two belong to no model.
constexpr Shape kPublished[] = {
    {2688, 128, 64, 8, 128, "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16"},
    {4096, 128, 128, 8, 128, "NEMOTRON_H_3_Super"},
    {8192, 128, 64, 8, 256, "MAMBA2_GENERIC_4K"},
    {1024, 64, 16, 4, 128, "MAMBA2_GENERIC_1K"},
};

}  // namespace

std::string_view Mamba2::why_invalid() const {
  if (batch < 1 || seq < 1 || d_model < 1 || d_state < 1 || heads < 1 || head_dim < 1 || groups < 1 ||
      chunk < 1)
    return "batch_size, seq_len, d_model, d_state, nheads, head_dim, n_groups and chunk_size must be "
           "positive";
  if (d_conv < 2) return "d_conv must be at least 2: a convolution of one token has no state";
  if (tokens != batch * seq) return "num_tokens must be batch_size * seq_len";
  if (heads % groups != 0) return "n_groups must divide nheads";
  if (phase == LinearPhase::generation && seq != 1) return "seq_len must be 1 in generation";
  if (kernel == Symbol()) return "kernel_source must name a sub-kernel";
  if (in_wrong_phase(*this)) return "kernel_source belongs to the other phase";
  return {};
}

CausalConvShape Mamba2::conv_shape() const {
  return {phase, batch, seq, heads * head_dim + 2 * groups * d_state, d_conv, true};
}

Work Mamba2::work() const {
  const Step step = step_of(*this);
  if (step == Step::convolution) return causal_conv_work(conv_shape());
  if (step != Step::other) return recurrence_work(*this, step);
  const double bytes = 2.0 * double(tokens) * double(d_model);
  return {.activation_bytes_read = bytes, .bytes_written = bytes};
}

Operands Mamba2::operands() const {
  using enum DType;
  const Step step = step_of(*this);
  if (step == Step::other) return {};
  if (step == Step::convolution) return causal_conv_operands(conv_shape());
  Operand dt = linear_input("dt", bf16, {batch, seq, heads});
  // Through softplus: steps between 0.007 and 0.7, i.e. memories from a token to a few hundred, as trained models have.
  dt.fill = Fill::custom;
  dt.content = uniform_between(-5, 0);
  Operand a = linear_weight("a", f32, {heads});
  a.fill = Fill::custom;
  a.content = uniform_between(-2, -0.5);
  return {
      linear_input("x", bf16, {batch, seq, heads, head_dim}),
      dt,
      a,
      linear_input("b", bf16, {batch, seq, groups, d_state}),
      linear_input("c", bf16, {batch, seq, groups, d_state}),
      linear_weight("d", f32, {heads}),
      linear_weight("dt_bias", f32, {heads}),
      linear_state("state", f32, {batch, heads, head_dim, d_state}),
      linear_output("y", bf16, {batch, seq, heads, head_dim}),
  };
}

void Mamba2::model_cases(const ModelShapes& shapes, const CaseSink<Mamba2>& sink) {
  linear_model_cases(shapes, sink, [](const Mamba2& op) { return linear_lengths(op.phase); });
}

void Mamba2::aic_cases(const AicGrid& grid, const CaseSink<Mamba2>& sink) {
  if (grid.framework != AicFramework::trtllm) return;
  for (const Shape& shape : kPublished) {
    Mamba2 op{.d_model = shape.d_model,
              .d_state = shape.d_state,
              .heads = shape.heads,
              .groups = shape.groups,
              .chunk = shape.chunk,
              .model = Symbol(shape.model)};
    for (const std::string_view kernel : {kConvFn, kChunkScan}) {
      op.kernel = Symbol(kernel);
      for (const int64_t batch : kLinearContextBatches)
        for (const int64_t seq : kLinearContextLengths) {
          op.batch = batch;
          set_seq(op, seq);
          sink(op);
        }
    }
    op.phase = LinearPhase::generation;
    set_seq(op, 1);
    for (const std::string_view kernel : {kConvUpdate, kStateUpdate}) {
      op.kernel = Symbol(kernel);
      for (const int64_t batch : kLinearGenerationBatches) {
        set_batch(op, batch);
        sink(op);
      }
    }
  }
}

}  // namespace perfatlas
