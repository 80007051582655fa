// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/block_kernel.cuh"
#include "perfatlas/backends/cuda/cuda_element.cuh"
#include "perfatlas/backends/cuda/cuda_units.h"
#include "perfatlas/ops/rms_norm/rms_norm.h"
#include "perfatlas/ops/rms_norm/rms_norm_cuda_unit.h"

namespace perfatlas {
namespace {

/// One block per row.
template <class T>
struct RmsNormRows {
  int64_t tokens = 0, hidden = 0;
  const T* x = nullptr;
  const T* w = nullptr;
  T* out = nullptr;

  void bind(std::span<void* const> operands, void*) {
    x = static_cast<const T*>(operands[0]);
    w = static_cast<const T*>(operands[1]);
    out = static_cast<T*>(operands[2]);
  }
  int64_t blocks() const { return tokens; }
  int64_t shared_floats() const { return 0; }
  PERFATLAS_BOTH void operator()(const Block& block) const {
    const T* row = x + block.index() * hidden;
    T* to = out + block.index() * hidden;
    const float squares = block.sum(hidden, [=](int64_t i) { return to_float(row[i]) * to_float(row[i]); });
    const float scale = 1 / sqrtf(squares / float(hidden) + float(RmsNorm::kEpsilon));
    const T* weights = w;
    block.each(hidden,
               [=](int64_t i) { to[i] = from_float<T>(to_float(row[i]) * scale * to_float(weights[i])); });
  }
};

std::string unit_of(const RmsNorm& op) {
  return fmt::format("flashinfer_rms_norm_{}", cuda_type_name(op.dtype));
}

class FlashInferRmsNorm final : public PreparedKernel {
 public:
  FlashInferRmsNorm(const RmsNorm& op, LaunchRmsNorm* enqueue) : op_(op), enqueue_(enqueue) {}
  void launch(Stream stream, std::span<void* const> operands, void*) override {
    enqueue_({operands[0], operands[1], operands[2]}, op_, stream);
  }

 private:
  RmsNorm op_;
  LaunchRmsNorm* enqueue_;
};

}  // namespace

void add_rms_norm_cuda_kernels(KernelRegistry& registry) {
  registry.add(Kernel<RmsNorm, CudaDevice>{
      "flashinfer_rms_norm", "cuda",
      [](const RmsNorm& op, const CudaDevice& device) { return why_no_unit(unit_of(op), device); },
      [](const RmsNorm& op, CudaDevice&) -> std::unique_ptr<PreparedKernel> {
        return std::make_unique<FlashInferRmsNorm>(op, cuda_unit<LaunchRmsNorm>(unit_of(op)));
      }});
  registry.add(Kernel<RmsNorm, CudaDevice>{
      "reference", "cuda", [](const RmsNorm& op, const CudaDevice&) { return why_not_wide(op.dtype); },
      [](const RmsNorm& op, CudaDevice& device) {
        return with_wide_element(op.dtype, [&]<class T>(T) {
          return block_kernel_of(device.runtime(), RmsNormRows<T>{.tokens = op.tokens, .hidden = op.hidden});
        });
      }});
}

}  // namespace perfatlas
