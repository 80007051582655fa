// SPDX-License-Identifier: Apache-2.0
// FlashInfer's fused kernel writes its result over x, as engines let it; this op keeps x, so it has a plain kernel
// only.
#include "perfatlas/backends/cuda/block_kernel.cuh"
#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/backends/cuda/cuda_element.cuh"
#include "perfatlas/ops/add_rms_norm/add_rms_norm.h"

namespace perfatlas {
namespace {

/// One block per row; the sum stays in shared memory between the two passes.
template <class T>
struct AddRmsNormRows {
  int64_t tokens = 0, hidden = 0;
  const T* x = nullptr;
  T* residual = nullptr;
  const T* w = nullptr;
  T* out = nullptr;

  void bind(std::span<void* const> operands, void*) {
    x = static_cast<const T*>(operands[0]);
    residual = static_cast<T*>(operands[1]);
    w = static_cast<const T*>(operands[2]);
    out = static_cast<T*>(operands[3]);
  }
  int64_t blocks() const { return tokens; }
  int64_t shared_floats() const { return hidden; }
  PERFATLAS_BOTH void operator()(const Block& block) const {
    const int64_t first = block.index() * hidden;
    const T *row = x + first, *weights = w;
    T *sum = residual + first, *to = out + first;
    float* kept = block.shared();
    const float squares = block.sum(hidden, [=](int64_t i) {
      const float value = to_float(row[i]) + to_float(sum[i]);
      kept[i] = value;
      sum[i] = from_float<T>(value);
      return value * value;
    });
    const float scale = 1 / sqrtf(squares / float(hidden) + float(AddRmsNorm::kEpsilon));
    block.each(hidden, [=](int64_t i) { to[i] = from_float<T>(kept[i] * scale * to_float(weights[i])); });
  }
};

/// Shared memory of a block on every part from 8.0 on (227 KiB on Hopper; 99 KiB on 8.6 and 8.9).
constexpr int64_t kMostHidden = 99 * 1024 / 4;

}  // namespace

void add_add_rms_norm_cuda_kernels(KernelRegistry& registry) {
  registry.add(Kernel<AddRmsNorm, CudaDevice>{
      "reference", "cuda",
      [](const AddRmsNorm& op, const CudaDevice&) -> std::string {
        if (op.hidden > kMostHidden) return fmt::format("rows of more than {} elements", kMostHidden);
        return why_not_wide(op.dtype);
      },
      [](const AddRmsNorm& op, CudaDevice& device) {
        return with_wide_element(op.dtype, [&]<class T>(T) {
          return block_kernel_of(device.runtime(),
                                 AddRmsNormRows<T>{.tokens = op.tokens, .hidden = op.hidden});
        });
      }});
}

}  // namespace perfatlas
