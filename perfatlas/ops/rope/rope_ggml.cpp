// SPDX-License-Identifier: Apache-2.0
// rope_ext in its NeoX form, in place, on queries and on keys. ggml computes the cosines and sines of each token from
// its position and reads no table. Everything is float32, as in llama.cpp.
#include <cmath>

#include "perfatlas/backends/ggml/ggml_kernel.h"
#include "perfatlas/ops/rope/rope.h"

namespace perfatlas {
namespace {

struct Heads {
  size_t index;  // of the operand
  int64_t heads, width, offset;
};

/// Of heads of `width` elements, those from `offset` on.
void rotate(GgmlKernel& kernel, const Rope& op, const Heads& of, ggml_tensor* positions) {
  constexpr float kScale = 1, kExtension = 0, kAttention = 1, kBetaFast = 32,
                  kBetaSlow = 1;  // no context extension
  const size_t row = size_t(of.width) * sizeof(float);
  ggml_tensor* const all = kernel.operand(of.index, GGML_TYPE_F32, {of.width, of.heads, op.tokens, 1});
  ggml_tensor* const rotated = ggml_view_3d(kernel.context(), all, op.rotary_dim, of.heads, op.tokens, row,
                                            row * size_t(of.heads), size_t(of.offset) * sizeof(float));
  kernel.add(ggml_rope_ext_inplace(kernel.context(), rotated, positions, nullptr, int(op.rotary_dim),
                                   GGML_ROPE_TYPE_NEOX, int(op.positions), float(Rope::kTheta), kScale,
                                   kExtension, kAttention, kBetaFast, kBetaSlow));
}

/// Relative L2 error that ggml's angles allow: it goes from pair to pair by a factor rounded to float32, so that the
/// angle of pair i is off by up to i * 2^-24 of itself, which is largest at the last position.
double angle_error(const Rope& op) {
  const double pairs = double(op.rotary_dim) / 2;
  double squares = 0;
  for (double pair = 0; pair < pairs; ++pair)
    squares += std::pow(pair * std::pow(Rope::kTheta, -pair / pairs), 2);
  return double(op.positions) * std::sqrt(squares / pairs) * 0x1p-24;
}

std::string why_unsupported(const Rope&, const GgmlDevice&) { return {}; }

std::unique_ptr<PreparedKernel> prepare(const Rope& op, GgmlDevice& device) {
  auto kernel = std::make_unique<GgmlKernel>(device);
  ggml_tensor* const positions = kernel->operand(3, GGML_TYPE_I32, {op.tokens, 1, 1, 1});
  rotate(*kernel, op, {0, op.heads, op.head_dim, op.rotary_offset}, positions);
  rotate(*kernel, op, {1, op.kv_heads, op.key_dim(), 0}, positions);
  kernel->allow_error(angle_error(op));
  kernel->finish();
  return kernel;
}

}  // namespace

void add_rope_ggml_kernels(KernelRegistry& registry) {
  registry.add(Kernel<Rope, GgmlDevice>{"ggml_rope_neox", "ggml", &why_unsupported, &prepare});
}

}  // namespace perfatlas
