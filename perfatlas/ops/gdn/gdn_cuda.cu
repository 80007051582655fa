// SPDX-License-Identifier: Apache-2.0
// Plain kernels of the gated delta network, token by token: correct for prompts, not the chunked algorithm of engines.
#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/ops/gdn/gdn.h"
#include "perfatlas/ops/mamba2/causal_conv_cuda_body.cuh"

namespace perfatlas {
namespace {

/// One block per sequence and value head, a thread per element of a value.
struct DeltaRuleHeads {
  int64_t batch = 0, seq = 0, k_heads = 0, k_dim = 0, v_heads = 0, v_dim = 0;
  bool empty_state = true;
  const CudaBf16 *q = nullptr, *k = nullptr, *v = nullptr;
  const float* g = nullptr;
  const CudaBf16* beta = nullptr;
  float* state = nullptr;
  CudaBf16* o = nullptr;

  void bind(std::span<void* const> operands, void*) {
    const auto narrow = [&](size_t i) { return static_cast<const CudaBf16*>(operands[i]); };
    q = narrow(0), k = narrow(1), v = narrow(2), beta = narrow(4);
    g = static_cast<const float*>(operands[3]);
    state = static_cast<float*>(operands[5]);
    o = static_cast<CudaBf16*>(operands[6]);
  }
  int64_t blocks() const { return batch * v_heads; }
  int64_t shared_floats() const { return 2 * k_dim; }

  /// to = row scaled to length one.
  PERFATLAS_BOTH void normalise(const Block& block, const CudaBf16* row, float* to) const {
    const float squares = block.sum(k_dim, [=](int64_t i) { return to_float(row[i]) * to_float(row[i]); });
    const float scale = 1 / sqrtf(squares + float(Gdn::kNormEpsilon));
    block.each(k_dim, [=](int64_t i) { to[i] = to_float(row[i]) * scale; });
  }

  PERFATLAS_BOTH void operator()(const Block& block) const {
    const int64_t head = block.index() % v_heads, sequence = block.index() / v_heads;
    float *query = block.shared(), *key = query + k_dim;
    float* cells = state + block.index() * k_dim * v_dim;
    const int64_t rows = k_dim, columns = v_dim;
    if (empty_state) block.each(rows * columns, [=](int64_t i) { cells[i] = 0; });
    const float scale = 1 / sqrtf(float(rows));
    for (int64_t token = sequence * seq; token < (sequence + 1) * seq; ++token) {
      const int64_t row = token * v_heads + head, from = (token * k_heads + head * k_heads / v_heads) * rows;
      normalise(block, q + from, query);
      normalise(block, k + from, key);
      const float decay = expf(g[row]), rate = to_float(beta[row]);
      const CudaBf16* value = v + row * columns;
      CudaBf16* to = o + row * columns;
      block.each(columns, [=](int64_t j) {
        float held = 0;  // what the state answers to the key
        for (int64_t i = 0; i < rows; ++i) held += (cells[i * columns + j] *= decay) * key[i];
        const float change = rate * (to_float(value[j]) - held);
        float sum = 0;
        for (int64_t i = 0; i < rows; ++i) sum += (cells[i * columns + j] += key[i] * change) * query[i];
        to[j] = from_float<CudaBf16>(sum * scale);
      });
    }
  }
};

bool is_convolution(const Gdn& op) {
  return op.kernel.text() == Gdn::kConvFn || op.kernel.text() == Gdn::kConvUpdate;
}

std::string why_not(const Gdn& op, const CudaDevice&) {
  for (const std::string_view known : Gdn::kSubKernels)
    if (op.kernel.text() == known) return {};
  return fmt::format("no kernel for {}", op.kernel.text());
}

}  // namespace

void add_gdn_cuda_kernels(KernelRegistry& registry) {
  registry.add(Kernel<Gdn, CudaDevice>{
      "reference", "cuda", &why_not, [](const Gdn& op, CudaDevice& device) {
        if (is_convolution(op)) return block_kernel_of(device.runtime(), CausalConvTokens(op.conv_shape()));
        return block_kernel_of(device.runtime(),
                               DeltaRuleHeads{.batch = op.batch,
                                              .seq = op.seq,
                                              .k_heads = op.k_heads,
                                              .k_dim = op.k_dim,
                                              .v_heads = op.v_heads,
                                              .v_dim = op.v_dim,
                                              .empty_state = op.phase == LinearPhase::context});
      }});
}

}  // namespace perfatlas
