// SPDX-License-Identifier: Apache-2.0
// The expert layer as llama.cpp builds it: argsort_top_k and soft_max of the router's logits, mul_mat_id with gate and
// up merged, the activation, mul_mat_id down, the weighted sum. Activations are float32; weights lie where llama.cpp
// keeps them (its AMX buffers take no mul_mat_id).
#include <fmt/format.h>

#include "perfatlas/backends/ggml/ggml_kernel.h"
#include "perfatlas/backends/ggml/ggml_types.h"
#include "perfatlas/ops/moe/moe.h"

namespace perfatlas {
namespace {

/// ggml's own tests allow each product with block weights a normalised squared error of 5e-4; here are two in a row,
/// the second of heavy-tailed values (a product of the gate and up halves), which 8-bit blocks hold less well.
constexpr double kAllowedBlockError = 0.032;

/// Of each token's chosen experts: [topk, tokens] ids and [1, topk, tokens] weights.
struct Routing {
  ggml_tensor *ids, *weights;
};

Routing route(const Moe& op, GgmlKernel& kernel) {
  ggml_context* const context = kernel.context();
  ggml_tensor* const logits = kernel.operand(moe_logits_at, GGML_TYPE_F32, {op.experts, op.tokens, 1, 1});
  ggml_tensor* const ids = ggml_argsort_top_k(context, logits, int(op.topk));
  ggml_tensor* const chosen =
      ggml_get_rows(context, ggml_reshape_3d(context, logits, 1, op.experts, op.tokens), ids);
  ggml_tensor* const weights = ggml_soft_max(context, ggml_reshape_2d(context, chosen, op.topk, op.tokens));
  return {ids, ggml_reshape_3d(context, weights, 1, op.topk, op.tokens)};
}

/// One half of every row of gate and up.
ggml_tensor* half(ggml_context* context, ggml_tensor* both, int64_t width, int64_t number) {
  return ggml_view_3d(context, both, width, both->ne[1], both->ne[2], both->nb[1], both->nb[2],
                      size_t(number * width) * both->nb[0]);
}

ggml_tensor* activate(const Moe& op, ggml_context* context, ggml_tensor* up) {
  if (!op.gated) return ggml_sqr(context, ggml_relu(context, up));
  const int64_t width = op.local_inter();
  return ggml_swiglu_split(context, half(context, up, width, 0), half(context, up, width, 1));
}

/// Sum over the experts of a token, as a chain of additions.
ggml_tensor* sum_experts(const Moe& op, ggml_context* context, ggml_tensor* results) {
  const auto of = [&](int64_t choice) {
    return ggml_view_2d(context, results, op.hidden, op.tokens, results->nb[2],
                        size_t(choice) * results->nb[1]);
  };
  ggml_tensor* sum = of(0);
  for (int64_t choice = 1; choice < op.topk; ++choice) sum = ggml_add(context, sum, of(choice));
  return op.topk == 1 ? ggml_cont(context, sum) : sum;
}

std::unique_ptr<GgmlKernel> build(const Moe& op, const GgmlDevice& device, WeightBuffer buffer) {
  auto kernel = std::make_unique<GgmlKernel>(device, size_t(64 + 4 * op.topk));
  ggml_context* const context = kernel->context();
  const ggml_type type = *ggml_weight_type(op.dtype);
  ggml_tensor* const w13 = kernel->weight(
      moe_w13_at, type, {op.hidden, op.in_matrices() * op.local_inter(), op.experts, 1}, buffer);
  ggml_tensor* const w2 =
      kernel->weight(moe_w2_at, type, {op.local_inter(), op.hidden, op.experts, 1}, buffer);
  if (is_block_type(traits_of(op.dtype).weight)) kernel->allow_error(kAllowedBlockError);
  const Routing routing = route(op, *kernel);
  ggml_tensor* const x = kernel->operand(moe_x_at, GGML_TYPE_F32, {op.hidden, 1, op.tokens, 1});
  ggml_tensor* const up = ggml_mul_mat_id(context, w13, x, routing.ids);
  ggml_tensor* const down = ggml_mul_mat_id(context, w2, activate(op, context, up), routing.ids);
  kernel->result(sum_experts(op, context, ggml_mul(context, down, routing.weights)), moe_out_at);
  return kernel;
}

template <WeightBuffer buffer>
std::string why_unsupported(const Moe& op, const GgmlDevice& device) {
  if (!ggml_weight_type(op.dtype))
    return fmt::format("ggml {} has no weights of type {}", ggml_library_version(), name_of(op.dtype));
  if (op.ep != 1) return "llama.cpp has no expert parallelism";
  if (buffer != WeightBuffer::plain && device.buffer(buffer) == nullptr)
    return "this CPU, or this build of ggml, has no repacking buffers";
  return build(op, device, buffer)->why_unsupported();
}

template <WeightBuffer buffer>
std::unique_ptr<PreparedKernel> prepare(const Moe& op, GgmlDevice& device) {
  std::unique_ptr<GgmlKernel> kernel = build(op, device, buffer);
  kernel->finish();
  return kernel;
}

template <WeightBuffer buffer>
void add(KernelRegistry& registry, std::string_view name) {
  registry.add(Kernel<Moe, GgmlDevice>{name, "ggml", &why_unsupported<buffer>, &prepare<buffer>});
}

}  // namespace

void add_moe_ggml_kernels(KernelRegistry& registry) {
  add<WeightBuffer::repack>(registry, "ggml_mul_mat_id_repack_buffer");
  add<WeightBuffer::plain>(registry, "ggml_mul_mat_id");
}

}  // namespace perfatlas
