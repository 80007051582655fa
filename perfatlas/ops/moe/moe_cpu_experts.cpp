// SPDX-License-Identifier: Apache-2.0
// Steps of one launch, for as many tokens at a time as the workspace has room for:
//   1. every token: top-k of its logits, softmax of the chosen ones
//   2. choices on this rank sorted by expert (one thread)
//   3. every row: its token, gathered (int8: quantised, one scale per row)
//   4. every (expert, up to 128 rows, block of columns): gate and up products, activation     -> middle
//   5. int8: every row of middle quantised
//   6. every (expert, up to 128 rows, block of columns): down product                         -> results
//   7. every token: weighted sum of its results
// Products are done by one thread each, because one expert's share of a step is too small for many; with one token per
// expert every thread streams weights of its own. Row counts are known only from the logits, so oneDNN's primitives are
// planned for ten of them (moe_cpu_matmul.h).
#include "perfatlas/ops/moe/moe_cpu_experts.h"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "perfatlas/base/error.h"
#include "perfatlas/ops/moe/moe_cpu_loops.h"

namespace perfatlas {
namespace {

/// Rows of gathered tokens at a time. More would need gigabytes for results; with fewer, experts are read more often.
constexpr int64_t kMostChoices = 16384;

constexpr int64_t kNarrowBlock = 64, kWideBlock = 256;

size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

/// The widest block that leaves every thread several pieces of the experts that have tokens.
int64_t block_of(int64_t columns, double experts, int threads) {
  int64_t block = kWideBlock;
  while (block > kNarrowBlock && experts * double((columns + block - 1) / block) < 4.0 * threads) block /= 2;
  return block;
}

ExpertMatmul::Shape shape_of(const Moe& op, ExpertWeights weights, int threads, DType result, int64_t depth,
                             int64_t columns) {
  const double experts = std::max(expected_load(op.routing_shape(), {}).experts, 1.0);
  return {.operand = traits_of(op.dtype).activation,
          .result = result,
          .depth = depth,
          .columns = columns,
          .block = block_of(columns, experts, threads),
          .most_rows = op.tokens,
          .weights = weights};
}

/// Gate and up product: to floats, for the activation.
ExpertMatmul::Shape in_shape(const Moe& op, ExpertWeights weights, int threads) {
  return shape_of(op, weights, threads, DType::f32, op.hidden, op.local_inter());
}

ExpertMatmul::Shape out_shape(const Moe& op, ExpertWeights weights, int threads) {
  return shape_of(op, weights, threads, op.token_type(), op.local_inter(), op.hidden);
}

/// Where the parts of a workspace begin.
class Offsets {
 public:
  size_t take(size_t bytes) {
    const size_t at = total_;
    total_ += aligned(bytes);
    return at;
  }
  size_t total() const { return total_; }

 private:
  size_t total_ = 0;
};

/// T: tokens and results; In: what the products read; Middle: what the activation writes (In, but for int8).
template <class T, class In, class Middle>
class CpuExperts final : public PreparedKernel {
  static constexpr bool kQuantised = std::is_same_v<In, int8_t>;

 public:
  CpuExperts(const Moe& op, CpuDevice& device, ExpertWeights weights)
      : op_(op),
        threads_(device.threads()),
        chunk_(std::clamp<int64_t>(kMostChoices / std::min(op.topk, op.local_experts()), 1, op.tokens)),
        packed_(weights == ExpertWeights::packed),
        rows_(op, chunk_, threads_),
        loops_(expert_loops<T, Middle>(device.isa())),
        in_(in_shape(op, weights, threads_), threads_, device.onednn()),
        out_(out_shape(op, weights, threads_), threads_, device.onednn()) {
    const auto most = size_t(rows_.most_rows());
    const auto hidden = size_t(op.hidden), inter = size_t(op.local_inter());
    gathered_at_ = place_.take(most * hidden * sizeof(In));
    middle_at_ = place_.take(most * inter * sizeof(Middle));
    results_at_ = place_.take(most * (hidden + size_t(kNarrowBlock)) * sizeof(T));
    if (kQuantised) {
      quantised_at_ = place_.take(most * inter);
      token_scale_at_ = place_.take(most * sizeof(float));
      row_scale_at_ = place_.take(most * sizeof(float));
    }
    block_bytes_ = aligned(size_t(ExpertMatmul::kMostRows * in_.stride_of(0)) * sizeof(float));
    scratchpad_at_ = 2 * block_bytes_;
    thread_bytes_ = scratchpad_at_ + aligned(std::max(in_.scratchpad_bytes(), out_.scratchpad_bytes()));
    threads_at_ = place_.take(thread_bytes_ * size_t(threads_));
  }

  /// Integers are taken of float32 sums here and of exact ones in the reference: a value at the border of two integers
  /// may go to its neighbour, one step of 1/127 of the row's largest value. With few values in a row that is not
  /// averaged away: 1.1e-2 was the most seen.
  double allowed_error() const override { return kQuantised ? 2e-2 : 0; }

  size_t workspace_bytes() const override { return place_.total(); }

  size_t packed_bytes(size_t index) const override {
    if (!packed_) return 0;
    if (index == moe_w13_at) return in_.packed_bytes() * size_t(op_.local_experts() * op_.in_matrices());
    if (index == moe_w2_at) return out_.packed_bytes() * size_t(op_.local_experts());
    return 0;
  }

  void pack(size_t index, const void* declared, void* packed) override {
    const ExpertMatmul& matmul = index == moe_w13_at ? in_ : out_;
    const int64_t matrices = op_.local_experts() * (index == moe_w13_at ? op_.in_matrices() : 1);
    for (int64_t i = 0; i < matrices; ++i)
      matmul.pack(static_cast<const char*>(declared) + size_t(i) * matmul.declared_bytes(),
                  static_cast<char*>(packed) + size_t(i) * matmul.packed_bytes());
  }

  void launch(Stream, std::span<void* const> operands, void* workspace) override {
    memory_ = static_cast<char*>(workspace);
    status_ = dnnl_success;
    for (int64_t first = 0; first < op_.tokens; first += chunk_)
      run_chunk(operands, first, std::min(chunk_, op_.tokens - first));
    throw_onednn_refusal(status_);
  }

 private:
  template <class E>
  E* at(size_t offset) const {
    return reinterpret_cast<E*>(memory_ + offset);
  }
  float* thread_block(int thread, int which) const {
    return at<float>(threads_at_ + size_t(thread) * thread_bytes_ + size_t(which) * block_bytes_);
  }
  void* scratchpad(int thread) const {
    return at<char>(threads_at_ + size_t(thread) * thread_bytes_ + scratchpad_at_);
  }
  void note(dnnl_status_t status) noexcept {
    if (status != dnnl_success) status_ = status;
  }

  void run_chunk(std::span<void* const> operands, int64_t first, int64_t tokens) {
    const T* const x = static_cast<const T*>(operands[moe_x_at]) + first * op_.hidden;
    const T* const logits = static_cast<const T*>(operands[moe_logits_at]) + first * op_.experts;
    T* const out = static_cast<T*>(operands[moe_out_at]) + first * op_.hidden;
#pragma omp parallel num_threads(threads_)
    {
      const int thread = omp_get_thread_num();
#pragma omp for schedule(static)
      for (int64_t token = 0; token < tokens; ++token) {
        loops_.widen(logits + token * op_.experts, op_.experts, rows_.logits_of(thread));
        rows_.choose(token, rows_.logits_of(thread));
      }
#pragma omp single
      rows_.group(tokens);
#pragma omp for schedule(static)
      for (int64_t row = 0; row < rows_.rows(); ++row) gather(x, row);
#pragma omp for schedule(dynamic)
      for (int64_t piece = 0; piece < int64_t(rows_.groups().size()) * in_.blocks(); ++piece)
        multiply_in(thread, piece, static_cast<const char*>(operands[moe_w13_at]));
      if constexpr (kQuantised) {
#pragma omp for schedule(static)
        for (int64_t row = 0; row < rows_.rows(); ++row) quantise_middle(row);
      }
#pragma omp for schedule(dynamic)
      for (int64_t piece = 0; piece < int64_t(rows_.groups().size()) * out_.blocks(); ++piece)
        multiply_out(thread, piece, static_cast<const char*>(operands[moe_w2_at]));
#pragma omp for schedule(static)
      for (int64_t token = 0; token < tokens; ++token) combine(token, out + token * op_.hidden);
    }
  }

  void gather(const T* x, int64_t row) {
    const int32_t token = rows_.token_of(row);
    if (token < 0) return;
    In* const to = at<In>(gathered_at_) + row * op_.hidden;
    if constexpr (kQuantised)
      at<float>(token_scale_at_)[row] = loops_.quantise_token(x + token * op_.hidden, op_.hidden, to);
    else
      std::memcpy(to, x + token * op_.hidden, size_t(op_.hidden) * sizeof(T));
  }

  void multiply_in(int thread, int64_t piece, const char* w13) {
    const ExpertRows::Group& group = rows_.groups()[size_t(piece / in_.blocks())];
    const int64_t block = piece % in_.blocks(), columns = in_.columns_of(block), inter = op_.local_inter();
    const In* const a = at<In>(gathered_at_) + group.first * op_.hidden;
    const char* const expert = w13 + size_t(group.expert * op_.in_matrices()) * matrix_bytes(in_);
    for (int which = 0; which < int(op_.in_matrices()); ++which)
      note(in_.run(thread, group.rows, block, a, expert + size_t(which) * matrix_bytes(in_),
                   thread_block(thread, which), scratchpad(thread)));
    const float* const gate = op_.gated ? thread_block(thread, 0) : nullptr;
    const float* const up = thread_block(thread, op_.gated ? 1 : 0);
    const int64_t stride = in_.stride_of(block);
    for (int64_t i = 0; i < group.rows; ++i) {
      float scale = 1;
      if constexpr (kQuantised)
        scale = at<float>(token_scale_at_)[group.first + i] * float(Moe::int8_weight_scale(op_.hidden));
      loops_.activate(gate == nullptr ? nullptr : gate + i * stride, up + i * stride, columns, scale,
                      at<Middle>(middle_at_) + (group.first + i) * inter + block * in_.columns_of(0));
    }
  }

  void quantise_middle(int64_t row) {
    if (rows_.token_of(row) < 0) return;
    const int64_t inter = op_.local_inter();
    at<float>(row_scale_at_)[row] = float(Moe::int8_weight_scale(inter)) *
                                    loops_.quantise_middle(at<Middle>(middle_at_) + row * inter, inter,
                                                           at<int8_t>(quantised_at_) + row * inter);
  }

  void multiply_out(int thread, int64_t piece, const char* w2) {
    const ExpertRows::Group& group = rows_.groups()[size_t(piece / out_.blocks())];
    const int64_t block = piece % out_.blocks();
    const In* const a = at<In>(kQuantised ? quantised_at_ : middle_at_) + group.first * op_.local_inter();
    T* const d = results_of(block) + group.first * out_.stride_of(block);
    note(out_.run(thread, group.rows, block, a, w2 + size_t(group.expert) * matrix_bytes(out_), d,
                  scratchpad(thread)));
  }

  /// Results are kept block by block, [rows, stride_of(block)] each: what the products write.
  T* results_of(int64_t block) const { return at<T>(results_at_) + block * out_.stride_of(0) * rows_.rows(); }

  void combine(int64_t token, T* out) {
    for (int64_t block = 0; block < out_.blocks(); ++block)
      loops_.combine(rows_.choices_of(token), results_of(block),
                     kQuantised ? at<float>(row_scale_at_) : nullptr, out_.stride_of(block),
                     out_.columns_of(block), out + block * out_.columns_of(0));
  }

  size_t matrix_bytes(const ExpertMatmul& matmul) const {
    return packed_ ? matmul.packed_bytes() : matmul.declared_bytes();
  }

  Moe op_;
  int threads_;
  int64_t chunk_;  // tokens at a time
  bool packed_;
  ExpertRows rows_;
  ExpertLoops<T, Middle> loops_;
  ExpertMatmul in_, out_;
  Offsets place_;
  size_t gathered_at_ = 0, middle_at_ = 0, results_at_ = 0, quantised_at_ = 0, token_scale_at_ = 0;
  size_t row_scale_at_ = 0, threads_at_ = 0, block_bytes_ = 0, scratchpad_at_ = 0, thread_bytes_ = 0;
  char* memory_ = nullptr;
  std::atomic<dnnl_status_t> status_ = dnnl_success;
};

}  // namespace

std::string why_no_experts(const Moe& op, const CpuDevice& device, ExpertWeights weights) {
  if (op.dtype != Quant::f32 && op.dtype != Quant::bf16 && op.dtype != Quant::int8)
    return fmt::format("no CPU kernel has {} experts: only float32, bfloat16 and int8", name_of(op.dtype));
  const std::string in = ExpertMatmul::why_not(in_shape(op, weights, device.threads()), device.onednn());
  return in.empty() ? ExpertMatmul::why_not(out_shape(op, weights, device.threads()), device.onednn()) : in;
}

std::unique_ptr<PreparedKernel> make_experts(const Moe& op, CpuDevice& device, ExpertWeights weights) {
  if (op.dtype == Quant::f32) return std::make_unique<CpuExperts<float, float, float>>(op, device, weights);
  if (op.dtype == Quant::bf16) return std::make_unique<CpuExperts<Bf16, Bf16, Bf16>>(op, device, weights);
  return std::make_unique<CpuExperts<Bf16, int8_t, float>>(op, device, weights);
}

}  // namespace perfatlas
