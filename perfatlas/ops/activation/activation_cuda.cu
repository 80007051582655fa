// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/block_kernel.cuh"
#include "perfatlas/backends/cuda/cuda_element.cuh"
#include "perfatlas/backends/cuda/cuda_units.h"
#include "perfatlas/ops/activation/activation_cuda_unit.h"

namespace perfatlas {
namespace {

PERFATLAS_BOTH float activated(ActivationKind kind, float v) {
  switch (kind) {
    case ActivationKind::silu_mul:
      return v / (1 + expf(-v));
    case ActivationKind::gelu_mul:
    case ActivationKind::gelu:
      return v / 2 * (1 + tanhf(0.7978845608F * (v + 0.044715F * v * v * v)));  // sqrt(2 / pi)
    case ActivationKind::relu2:
      return v > 0 ? v * v : 0;
  }
  return 0;
}

/// One block per row.
template <class T>
struct ActivateRows {
  ActivationKind kind = ActivationKind::silu_mul;
  int64_t tokens = 0, inter = 0, input_width = 0;
  const T* x = nullptr;
  T* out = nullptr;

  void bind(std::span<void* const> operands, void*) {
    x = static_cast<const T*>(operands[0]);
    out = static_cast<T*>(operands[1]);
  }
  int64_t blocks() const { return tokens; }
  int64_t shared_floats() const { return 0; }
  PERFATLAS_BOTH void operator()(const Block& block) const {
    const T* row = x + block.index() * input_width;
    T* to = out + block.index() * inter;
    const bool gated = input_width > inter;
    const int64_t width = inter;
    const ActivationKind function = kind;
    block.each(width, [=](int64_t i) {
      const float up = gated ? to_float(row[width + i]) : 1;
      to[i] = from_float<T>(activated(function, to_float(row[i])) * up);
    });
  }
};

std::string unit_of(const Activation& op) {
  return fmt::format("flashinfer_activation_{}", cuda_type_name(op.dtype));
}

class FlashInferActivation final : public PreparedKernel {
 public:
  FlashInferActivation(const Activation& op, LaunchActivation* enqueue) : op_(op), enqueue_(enqueue) {}
  void launch(Stream stream, std::span<void* const> operands, void*) override {
    enqueue_({operands[0], operands[1]}, op_, stream);
  }

 private:
  Activation op_;
  LaunchActivation* enqueue_;
};

}  // namespace

void add_activation_cuda_kernels(KernelRegistry& registry) {
  registry.add(Kernel<Activation, CudaDevice>{
      "flashinfer_act_and_mul", "cuda",
      [](const Activation& op, const CudaDevice& device) -> std::string {
        if (!op.gated()) return fmt::format("FlashInfer has gated functions only, not {}", name_of(op.kind));
        return why_no_unit(unit_of(op), device);
      },
      [](const Activation& op, CudaDevice&) -> std::unique_ptr<PreparedKernel> {
        return std::make_unique<FlashInferActivation>(op, cuda_unit<LaunchActivation>(unit_of(op)));
      }});
  registry.add(Kernel<Activation, CudaDevice>{
      "reference", "cuda", [](const Activation& op, const CudaDevice&) { return why_not_wide(op.dtype); },
      [](const Activation& op, CudaDevice& device) {
        return with_wide_element(op.dtype, [&]<class T>(T) {
          return block_kernel_of(
              device.runtime(),
              ActivateRows<T>{
                  .kind = op.kind, .tokens = op.tokens, .inter = op.inter, .input_width = op.input_width()});
        });
      }});
}

}  // namespace perfatlas
