// SPDX-License-Identifier: Apache-2.0
// FlashInfer's quantisers are fused with norms or with the search for the scale; these are the two steps by themselves.
#include "perfatlas/backends/cuda/block_kernel.cuh"
#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/backends/cuda/cuda_element.cuh"
#include "perfatlas/ops/quantize/quantize.h"

namespace perfatlas {
namespace {

/// A block per group of 128, or per row: one scale each.
struct GroupScales {
  int64_t m = 0, k = 0, group = 0, groups = 0;
  float largest = 448;
  const CudaBf16* x = nullptr;
  float* scale = nullptr;

  void bind(std::span<void* const> operands, void*) {
    x = static_cast<const CudaBf16*>(operands[0]);
    scale = static_cast<float*>(operands[1]);
  }
  int64_t blocks() const { return m * groups; }
  int64_t shared_floats() const { return 0; }
  PERFATLAS_BOTH void operator()(const Block& block) const {
    const int64_t first = block.index() % groups * group, left = k - first;
    const CudaBf16* part = x + block.index() / groups * k + first;
    const float found =
        block.largest(left < group ? left : group, 0, [=](int64_t i) { return fabsf(to_float(part[i])); });
    float* to = scale + block.index();
    const float value = fmaxf(found / largest, float(kSmallestScale));
    block.each(1, [=](int64_t) { *to = value; });
  }
};

/// The scale of a tensor in two launches: the largest magnitude of each block, then of all of them.
constexpr int64_t kScaleBlocks = 512;

struct PartialLargest {
  int64_t count = 0;
  const CudaBf16* x = nullptr;
  float* found = nullptr;

  int64_t blocks() const { return kScaleBlocks; }
  int64_t shared_floats() const { return 0; }
  PERFATLAS_BOTH void operator()(const Block& block) const {
    const int64_t first = count * block.index() / kScaleBlocks,
                  last = count * (block.index() + 1) / kScaleBlocks;
    const CudaBf16* part = x + first;
    const float value = block.largest(last - first, 0, [=](int64_t i) { return fabsf(to_float(part[i])); });
    float* to = found + block.index();
    block.each(1, [=](int64_t) { *to = value; });
  }
};

struct TensorScale {
  float largest = 448;
  const float* found = nullptr;
  float* scale = nullptr;

  int64_t blocks() const { return 1; }
  int64_t shared_floats() const { return 0; }
  PERFATLAS_BOTH void operator()(const Block& block) const {
    const float* partial = found;
    const float value = block.largest(kScaleBlocks, 0, [=](int64_t i) { return partial[i]; });
    float* to = scale;
    const float result = fmaxf(value / largest, float(kSmallestScale));
    block.each(1, [=](int64_t) { *to = result; });
  }
};

class TensorScaleKernel final : public PreparedKernel {
 public:
  TensorScaleKernel(const QuantizeShape& shape, CudaRuntime& runtime) : shape_(shape), runtime_(runtime) {}
  size_t workspace_bytes() const override { return kScaleBlocks * sizeof(float); }
  void launch(Stream stream, std::span<void* const> operands, void* workspace) override {
    auto* found = static_cast<float*>(workspace);
    runtime_.run(
        block_work(PartialLargest{shape_.m * shape_.k, static_cast<const CudaBf16*>(operands[0]), found}),
        stream);
    runtime_.run(block_work(TensorScale{float(shape_.largest()), found, static_cast<float*>(operands[1])}),
                 stream);
  }

 private:
  QuantizeShape shape_;
  CudaRuntime& runtime_;
};

/// A block per row.
template <class To>
struct QuantizeRows {
  int64_t m = 0, k = 0, group = 0, groups = 0;  // groups 0: one scale for all
  float smallest = -448, largest = 448;
  const CudaBf16* x = nullptr;
  const float* scale = nullptr;
  To* q = nullptr;

  void bind(std::span<void* const> operands, void*) {
    x = static_cast<const CudaBf16*>(operands[0]);
    scale = static_cast<const float*>(operands[1]);
    q = static_cast<To*>(operands[2]);
  }
  int64_t blocks() const { return m; }
  int64_t shared_floats() const { return 0; }
  PERFATLAS_BOTH void operator()(const Block& block) const {
    const CudaBf16* row = x + block.index() * k;
    To* to = q + block.index() * k;
    const float* scales = groups > 0 ? scale + block.index() * groups : scale;
    const int64_t per_scale = groups > 0 ? group : k;
    const float low = smallest, high = largest;
    block.each(k, [=](int64_t i) {
      to[i] = from_float<To>(fminf(fmaxf(to_float(row[i]) / scales[i / per_scale], low), high));
    });
  }
};

template <class To>
std::unique_ptr<PreparedKernel> quantizer(const QuantizeShape& shape, CudaRuntime& runtime) {
  const auto largest = float(shape.largest());
  return block_kernel_of(runtime, QuantizeRows<To>{.m = shape.m,
                                                   .k = shape.k,
                                                   .group = shape.group(),
                                                   .groups = shape.grouped() ? shape.groups() : 0,
                                                   .smallest = shape.quant == Quant::int8 ? -128 : -largest,
                                                   .largest = largest});
}

}  // namespace

void add_quantize_cuda_kernels(KernelRegistry& registry) {
  registry.add(Kernel<ComputeScale, CudaDevice>{
      "reference", "cuda", [](const ComputeScale&, const CudaDevice&) { return std::string(); },
      [](const ComputeScale& op, CudaDevice& device) -> std::unique_ptr<PreparedKernel> {
        const QuantizeShape shape = op.shape();
        if (!shape.grouped()) return std::make_unique<TensorScaleKernel>(shape, device.runtime());
        return block_kernel_of(device.runtime(), GroupScales{.m = shape.m,
                                                             .k = shape.k,
                                                             .group = shape.group(),
                                                             .groups = shape.groups(),
                                                             .largest = float(shape.largest())});
      }});
  registry.add(Kernel<ScaleMatrix, CudaDevice>{
      "reference", "cuda", [](const ScaleMatrix&, const CudaDevice&) { return std::string(); },
      [](const ScaleMatrix& op, CudaDevice& device) {
        if (op.dtype == Quant::int8) return quantizer<int8_t>(op.shape(), device.runtime());
        return quantizer<CudaFp8>(op.shape(), device.runtime());
      }});
}

}  // namespace perfatlas
