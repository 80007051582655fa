// SPDX-License-Identifier: Apache-2.0
// add, then rms_norm and mul, which ggml's CPU back end runs as one pass: it has no kernel for all three. Everything is
// float32, as in llama.cpp.
#include "perfatlas/backends/ggml/ggml_kernel.h"
#include "perfatlas/ops/add_rms_norm/add_rms_norm.h"

namespace perfatlas {
namespace {

std::string why_unsupported(const AddRmsNorm&, const GgmlDevice&) { return {}; }

std::unique_ptr<PreparedKernel> prepare(const AddRmsNorm& op, GgmlDevice& device) {
  auto kernel = std::make_unique<GgmlKernel>(device);
  ggml_context* const context = kernel->context();
  const GgmlExtents rows{op.hidden, op.tokens, 1, 1};
  ggml_tensor* const x = kernel->operand(0, GGML_TYPE_F32, rows);
  ggml_tensor* const residual = kernel->operand(1, GGML_TYPE_F32, rows);
  ggml_tensor* const w = kernel->operand(2, GGML_TYPE_F32, {op.hidden, 1, 1, 1});
  ggml_tensor* const sum = ggml_add_inplace(context, residual, x);
  kernel->result(ggml_mul(context, ggml_rms_norm(context, sum, float(AddRmsNorm::kEpsilon)), w), 3);
  kernel->finish();
  return kernel;
}

}  // namespace

void add_add_rms_norm_ggml_kernels(KernelRegistry& registry) {
  registry.add(Kernel<AddRmsNorm, GgmlDevice>{"ggml_add_rms_norm_mul", "ggml", &why_unsupported, &prepare});
}

}  // namespace perfatlas
