// SPDX-License-Identifier: Apache-2.0
// ggml's activation functions. Everything is float32, as in llama.cpp.
#include <fmt/format.h>

#include "perfatlas/backends/ggml/ggml_kernel.h"
#include "perfatlas/ops/activation/activation.h"

namespace perfatlas {
namespace {

template <ActivationKind kind>
ggml_tensor* activate(ggml_context* context, ggml_tensor* x) {
  switch (kind) {
    case ActivationKind::silu_mul:
      return ggml_swiglu(context, x);
    case ActivationKind::gelu_mul:
      return ggml_geglu(context, x);
    case ActivationKind::gelu:
      return ggml_gelu(context, x);
    case ActivationKind::relu2:
      break;
  }
  return ggml_sqr(context, ggml_relu(context, x));
}

constexpr bool looked_up(ActivationKind kind) {
  return kind == ActivationKind::gelu || kind == ActivationKind::gelu_mul;
}

template <ActivationKind kind>
std::string why_unsupported(const Activation& op, const GgmlDevice&) {
  if (op.kind != kind) return fmt::format("computes {} only", name_of(kind));
  if (looked_up(kind) && op.dtype == DType::f32)
    return "ggml looks GELU up in a table of float16 numbers: no float32 results";
  return {};
}

template <ActivationKind kind>
std::unique_ptr<PreparedKernel> prepare(const Activation& op, GgmlDevice& device) {
  auto kernel = std::make_unique<GgmlKernel>(device);
  ggml_tensor* const x = kernel->operand(0, GGML_TYPE_F32, {op.input_width(), op.tokens, 1, 1});
  kernel->result(activate<kind>(kernel->context(), x), 1);
  kernel->finish();
  return kernel;
}

template <ActivationKind kind>
void add(KernelRegistry& registry, std::string_view name) {
  registry.add(Kernel<Activation, GgmlDevice>{name, "ggml", &why_unsupported<kind>, &prepare<kind>});
}

}  // namespace

void add_activation_ggml_kernels(KernelRegistry& registry) {
  add<ActivationKind::silu_mul>(registry, "ggml_swiglu");
  add<ActivationKind::gelu_mul>(registry, "ggml_geglu");
  add<ActivationKind::gelu>(registry, "ggml_gelu");
  add<ActivationKind::relu2>(registry, "ggml_relu_sqr");
}

}  // namespace perfatlas
