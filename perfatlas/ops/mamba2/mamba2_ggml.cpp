// SPDX-License-Identifier: Apache-2.0
// The kernels of a Mamba-2 mixer as llama.cpp composes them: ssm_conv on the concatenated state and tokens, ssm_scan
// token by token also for prompts. Everything is float32. A prompt's empty state is a tensor of zeros, as a cleared
// cache is.
#include <fmt/format.h>

#include <cstring>
#include <numeric>

#include "perfatlas/backends/ggml/ggml_kernel.h"
#include "perfatlas/ops/mamba2/mamba2.h"

namespace perfatlas {
namespace {

constexpr ggml_type kF32 = GGML_TYPE_F32;

bool is_convolution(const Mamba2& op) {
  return op.kernel.text() == Mamba2::kConvFn || op.kernel.text() == Mamba2::kConvUpdate;
}
bool is_recurrence(const Mamba2& op) {
  return op.kernel.text() == Mamba2::kChunkScan || op.kernel.text() == Mamba2::kStateUpdate;
}

/// What was before the first token: the state operand, or zeros for a prompt.
ggml_tensor* initial(GgmlKernel& kernel, const Mamba2& op, ggml_tensor* state) {
  if (op.phase == LinearPhase::generation) return state;
  return kernel.constant(kF32, {state->ne[0], state->ne[1], state->ne[2], state->ne[3]},
                         std::vector<std::byte>(ggml_nbytes(state)));
}

/// ggml keeps the state with the channels outermost; ours has them innermost, so that it is read and written through
/// transposed views.
void build_convolution(GgmlKernel& kernel, const Mamba2& op) {
  enum : size_t { x_at, w_at, bias_at, state_at, out_at };
  ggml_context* const context = kernel.context();
  const CausalConvShape s = op.conv_shape();
  const int64_t cached = s.width - 1;
  ggml_tensor* const x = kernel.operand(x_at, kF32, {s.channels, s.seq, s.batch, 1});
  ggml_tensor* const w = kernel.operand(w_at, kF32, {s.width, s.channels, 1, 1});
  ggml_tensor* const bias = kernel.operand(bias_at, kF32, {s.channels, 1, 1, 1});
  ggml_tensor* const state = kernel.operand(state_at, kF32, {s.channels, cached, s.batch, 1});
  ggml_tensor* const before = ggml_cont(context, ggml_transpose(context, initial(kernel, op, state)));
  ggml_tensor* const all = ggml_concat(context, before, ggml_transpose(context, x), 0);
  ggml_tensor* const last = ggml_view_3d(context, all, cached, s.channels, s.batch, all->nb[1], all->nb[2],
                                         size_t(s.seq) * all->nb[0]);
  kernel.add(ggml_cpy(context, last, ggml_transpose(context, state)));
  ggml_tensor* const sums = ggml_add(context, ggml_ssm_conv(context, all, w), bias);
  kernel.result(ggml_silu(context, sums), out_at);
}

ggml_tensor* sequence_numbers(GgmlKernel& kernel, int64_t count) {
  std::vector<int32_t> ids(size_t(count), 0);
  std::iota(ids.begin(), ids.end(), 0);
  std::vector<std::byte> bytes(ids.size() * sizeof ids[0]);
  std::memcpy(bytes.data(), ids.data(), bytes.size());
  return kernel.constant(GGML_TYPE_I32, {count, 1, 1, 1}, std::move(bytes));
}

void build_recurrence(GgmlKernel& kernel, const Mamba2& op) {
  enum : size_t { x_at, dt_at, a_at, b_at, c_at, d_at, dt_bias_at, state_at, y_at };
  ggml_context* const context = kernel.context();
  const GgmlExtents values{op.head_dim, op.heads, op.seq, op.batch};
  const GgmlExtents groups{op.d_state, op.groups, op.seq, op.batch};
  ggml_tensor* const x = kernel.operand(x_at, kF32, values);
  ggml_tensor* const dt = kernel.operand(dt_at, kF32, {op.heads, op.seq, op.batch, 1});
  ggml_tensor* const a = kernel.operand(a_at, kF32, {1, op.heads, 1, 1});
  ggml_tensor* const b = kernel.operand(b_at, kF32, groups);
  ggml_tensor* const c = kernel.operand(c_at, kF32, groups);
  ggml_tensor* const d = kernel.operand(d_at, kF32, {1, op.heads, 1, 1});
  ggml_tensor* const dt_bias = kernel.operand(dt_bias_at, kF32, {op.heads, 1, 1, 1});
  ggml_tensor* const state = kernel.operand(state_at, kF32, {op.d_state, op.head_dim, op.heads, op.batch});
  ggml_tensor* const scanned =
      ggml_ssm_scan(context, initial(kernel, op, state), x, ggml_add(context, dt, dt_bias), a, b, c,
                    sequence_numbers(kernel, op.batch), 1);
  ggml_tensor* const y = ggml_view_4d(context, scanned, values[0], values[1], values[2], values[3], x->nb[1],
                                      x->nb[2], x->nb[3], 0);
  ggml_tensor* const states = ggml_view_4d(context, scanned, op.d_state, op.head_dim, op.heads, op.batch,
                                           state->nb[1], state->nb[2], state->nb[3], ggml_nbytes(x));
  kernel.add(ggml_cpy(context, states, state));
  kernel.result(ggml_add(context, y, ggml_mul(context, x, d)), y_at);
}

std::string why_no_convolution(const Mamba2& op, const GgmlDevice&) {
  return is_convolution(op) ? "" : "computes the convolution only";
}
std::string why_no_recurrence(const Mamba2& op, const GgmlDevice&) {
  return is_recurrence(op) ? "" : "computes the recurrence only";
}

template <auto build>
std::unique_ptr<PreparedKernel> prepare(const Mamba2& op, GgmlDevice& device) {
  auto kernel = std::make_unique<GgmlKernel>(device);
  build(*kernel, op);
  kernel->finish();
  return kernel;
}

}  // namespace

void add_mamba2_ggml_kernels(KernelRegistry& registry) {
  registry.add(
      Kernel<Mamba2, GgmlDevice>{"ggml_ssm_scan", "ggml", &why_no_recurrence, &prepare<build_recurrence>});
  registry.add(
      Kernel<Mamba2, GgmlDevice>{"ggml_ssm_conv", "ggml", &why_no_convolution, &prepare<build_convolution>});
}

}  // namespace perfatlas
