// SPDX-License-Identifier: Apache-2.0
// get_rows: gathers rows of the table and widens them to float32, as llama.cpp has its activations.
#include "perfatlas/backends/ggml/ggml_kernel.h"
#include "perfatlas/backends/ggml/ggml_types.h"
#include "perfatlas/ops/embedding/embedding.h"

namespace perfatlas {
namespace {

std::string why_unsupported(const Embedding&, const GgmlDevice&) { return {}; }

std::unique_ptr<PreparedKernel> prepare(const Embedding& op, GgmlDevice& device) {
  auto kernel = std::make_unique<GgmlKernel>(device);
  ggml_tensor* const ids = kernel->operand(0, GGML_TYPE_I32, {op.tokens, 1, 1, 1});
  ggml_tensor* const table = kernel->operand(1, *ggml_type_of(op.dtype), {op.hidden, op.vocab, 1, 1});
  kernel->result(ggml_get_rows(kernel->context(), table, ids), 2);
  kernel->finish();
  return kernel;
}

}  // namespace

void add_embedding_ggml_kernels(KernelRegistry& registry) {
  registry.add(Kernel<Embedding, GgmlDevice>{"ggml_get_rows", "ggml", &why_unsupported, &prepare});
}

}  // namespace perfatlas
