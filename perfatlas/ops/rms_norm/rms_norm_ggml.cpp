// SPDX-License-Identifier: Apache-2.0
// rms_norm and mul, which ggml's CPU back end runs as one pass. Everything is float32, as in llama.cpp.
#include "perfatlas/backends/ggml/ggml_kernel.h"
#include "perfatlas/ops/rms_norm/rms_norm.h"

namespace perfatlas {
namespace {

std::string why_unsupported(const RmsNorm&, const GgmlDevice&) { return {}; }

std::unique_ptr<PreparedKernel> prepare(const RmsNorm& op, GgmlDevice& device) {
  auto kernel = std::make_unique<GgmlKernel>(device);
  ggml_context* const context = kernel->context();
  ggml_tensor* const x = kernel->operand(0, GGML_TYPE_F32, {op.hidden, op.tokens, 1, 1});
  ggml_tensor* const w = kernel->operand(1, GGML_TYPE_F32, {op.hidden, 1, 1, 1});
  kernel->result(ggml_mul(context, ggml_rms_norm(context, x, float(RmsNorm::kEpsilon)), w), 2);
  kernel->finish();
  return kernel;
}

}  // namespace

void add_rms_norm_ggml_kernels(KernelRegistry& registry) {
  registry.add(Kernel<RmsNorm, GgmlDevice>{"ggml_rms_norm_mul", "ggml", &why_unsupported, &prepare});
}

}  // namespace perfatlas
