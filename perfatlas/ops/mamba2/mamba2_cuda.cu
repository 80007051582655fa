// SPDX-License-Identifier: Apache-2.0
// FlashInfer's update of single tokens, and plain kernels of the Mamba-2 mixer, token by token: correct for prompts,
// not the chunked algorithm of engines.
#include "perfatlas/backends/cuda/cuda_units.h"
#include "perfatlas/ops/mamba2/causal_conv_cuda_body.cuh"
#include "perfatlas/ops/mamba2/mamba2_cuda_unit.h"

namespace perfatlas {
namespace {

/// One block per sequence and head, a thread per channel.
struct RecurrenceHeads {
  int64_t batch = 0, seq = 0, heads = 0, head_dim = 0, groups = 0, d_state = 0;
  bool empty_state = true;
  const CudaBf16 *x = nullptr, *dt = nullptr, *b = nullptr, *c = nullptr;
  const float *a = nullptr, *d = nullptr, *dt_bias = nullptr;
  float* state = nullptr;
  CudaBf16* y = nullptr;

  void bind(std::span<void* const> operands, void*) {
    const auto narrow = [&](size_t i) { return static_cast<const CudaBf16*>(operands[i]); };
    const auto wide = [&](size_t i) { return static_cast<const float*>(operands[i]); };
    x = narrow(0), dt = narrow(1), b = narrow(3), c = narrow(4);
    a = wide(2), d = wide(5), dt_bias = wide(6);
    state = static_cast<float*>(operands[7]);
    y = static_cast<CudaBf16*>(operands[8]);
  }
  int64_t blocks() const { return batch * heads; }
  int64_t shared_floats() const { return 0; }

  PERFATLAS_BOTH void operator()(const Block& block) const {
    const int64_t head = block.index() % heads, sequence = block.index() / heads;
    const RecurrenceHeads self = *this;
    float* states = state + block.index() * head_dim * d_state;
    const float rate = a[head], skip = d[head], bias = dt_bias[head];
    block.each(head_dim, [=](int64_t p) {
      float* cells = states + p * self.d_state;
      if (self.empty_state)
        for (int64_t n = 0; n < self.d_state; ++n) cells[n] = 0;
      for (int64_t token = sequence * self.seq; token < (sequence + 1) * self.seq; ++token) {
        const int64_t row = token * self.heads + head;
        const int64_t group = (token * self.groups + head * self.groups / self.heads) * self.d_state;
        const float step = log1pf(expf(to_float(self.dt[row]) + bias)), decay = expf(step * rate);
        const float input = to_float(self.x[row * self.head_dim + p]);
        float sum = skip * input;
        for (int64_t n = 0; n < self.d_state; ++n) {
          cells[n] = decay * cells[n] + step * input * to_float(self.b[group + n]);
          sum += to_float(self.c[group + n]) * cells[n];
        }
        self.y[row * self.head_dim + p] = from_float<CudaBf16>(sum);
      }
    });
  }
};

bool is_convolution(const Mamba2& op) {
  return op.kernel.text() == Mamba2::kConvFn || op.kernel.text() == Mamba2::kConvUpdate;
}

std::string why_not(const Mamba2& op, const CudaDevice&) {
  for (const std::string_view known : Mamba2::kSubKernels)
    if (op.kernel.text() == known) return {};
  return fmt::format("no kernel for {}", op.kernel.text());
}

std::string unit_of(const Mamba2& op) {
  return fmt::format("flashinfer_state_update_{}_{}", op.head_dim, op.d_state);
}

std::string why_not_flashinfer(const Mamba2& op, const CudaDevice& device) {
  if (op.kernel.text() != Mamba2::kStateUpdate) return "updates states only";
  // Rows of B and C are read 16 bytes at a time.
  if (op.groups * op.d_state % 8 != 0) return "FlashInfer needs n_groups*d_state a multiple of 8";
  return why_no_unit(unit_of(op), device);
}

class StateUpdate final : public PreparedKernel {
 public:
  explicit StateUpdate(const Mamba2& op) : op_(op), launch_(cuda_unit<LaunchStateUpdate>(unit_of(op))) {}

  /// FlashInfer has one type for dt, D and the bias of dt: that of the checkpoint.
  std::optional<DType> taken_dtype(size_t index) const override {
    return index == mamba2_d_at || index == mamba2_dt_bias_at ? std::optional(DType::bf16) : std::nullopt;
  }
  void launch(Stream stream, std::span<void* const> operands, void*) override {
    launch_(operands, op_, stream);
  }

 private:
  Mamba2 op_;
  LaunchStateUpdate* launch_;
};

}  // namespace

void add_mamba2_cuda_kernels(KernelRegistry& registry) {
  registry.add(
      Kernel<Mamba2, CudaDevice>{"flashinfer_selective_state_update", "cuda", &why_not_flashinfer,
                                 [](const Mamba2& op, CudaDevice&) -> std::unique_ptr<PreparedKernel> {
                                   return std::make_unique<StateUpdate>(op);
                                 }});
  registry.add(Kernel<Mamba2, CudaDevice>{
      "reference", "cuda", &why_not, [](const Mamba2& op, CudaDevice& device) {
        if (is_convolution(op)) return block_kernel_of(device.runtime(), CausalConvTokens(op.conv_shape()));
        return block_kernel_of(device.runtime(),
                               RecurrenceHeads{.batch = op.batch,
                                               .seq = op.seq,
                                               .heads = op.heads,
                                               .head_dim = op.head_dim,
                                               .groups = op.groups,
                                               .d_state = op.d_state,
                                               .empty_state = op.phase == LinearPhase::context});
      }});
}

}  // namespace perfatlas
