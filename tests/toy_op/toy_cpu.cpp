// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/kernel.h"
#include "perfatlas/ops/toy/toy.h"

namespace perfatlas {
namespace {

class ToyLoop : public PreparedKernel {
 public:
  explicit ToyLoop(int64_t count) : count_(count) {}
  void launch(Stream, std::span<void* const> operands, void*) override {
    const auto* x = static_cast<const float*>(operands[0]);
    auto* y = static_cast<float*>(operands[1]);
    for (int64_t i = 0; i < count_; ++i) y[i] = 2 * x[i];
  }

 private:
  int64_t count_;
};

}  // namespace

void add_toy_cpu_kernels(KernelRegistry& registry) {
  registry.add(
      Kernel<Toy, CpuDevice>{.name = "toy_loop",
                             .backend = "onednn",
                             .why_unsupported = [](const Toy& op, const CpuDevice&) -> std::string {
                               return op.dtype == DType::f32 ? "" : "only float32";
                             },
                             .prepare = [](const Toy& op, CpuDevice&) -> std::unique_ptr<PreparedKernel> {
                               return std::make_unique<ToyLoop>(op.count);
                             }});
}

}  // namespace perfatlas
