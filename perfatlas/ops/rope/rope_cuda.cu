// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/block_kernel.cuh"
#include "perfatlas/backends/cuda/cuda_element.cuh"
#include "perfatlas/backends/cuda/cuda_units.h"
#include "perfatlas/ops/rope/rope_cuda_unit.h"

namespace perfatlas {
namespace {

/// One block per token: a row of the table for all its heads.
template <class T>
struct RotateTokens {
  Rope op;
  T* q = nullptr;
  T* k = nullptr;
  const float* cos_sin = nullptr;
  const int32_t* position = nullptr;

  void bind(std::span<void* const> operands, void*) {
    q = static_cast<T*>(operands[0]);
    k = static_cast<T*>(operands[1]);
    cos_sin = static_cast<const float*>(operands[2]);
    position = static_cast<const int32_t*>(operands[3]);
  }
  int64_t blocks() const { return op.tokens; }
  int64_t shared_floats() const { return 0; }
  PERFATLAS_BOTH void operator()(const Block& block) const {
    const int64_t token = block.index(), pairs = op.rotary_dim / 2;
    const int64_t key_dim = op.rotary_offset > 0 ? op.rotary_dim : op.head_dim;
    const float* row = cos_sin + int64_t(position[token]) * op.rotary_dim;
    T* queries = q + token * op.heads * op.head_dim + op.rotary_offset;
    T* keys = k + token * op.kv_heads * key_dim;
    const int64_t heads = op.heads, head_dim = op.head_dim;
    block.each((heads + op.kv_heads) * pairs, [=](int64_t at) {
      const int64_t head = at / pairs, i = at % pairs;
      T* part = head < heads ? queries + head * head_dim : keys + (head - heads) * key_dim;
      const float a = to_float(part[i]), b = to_float(part[pairs + i]);
      part[i] = from_float<T>(a * row[i] - b * row[pairs + i]);
      part[pairs + i] = from_float<T>(b * row[i] + a * row[pairs + i]);
    });
  }
};

std::string unit_of(const Rope& op) { return fmt::format("flashinfer_rope_{}", cuda_type_name(op.dtype)); }

class FlashInferRope final : public PreparedKernel {
 public:
  FlashInferRope(const Rope& op, LaunchRope* enqueue) : op_(op), enqueue_(enqueue) {}
  void launch(Stream stream, std::span<void* const> operands, void*) override {
    enqueue_({operands[0], operands[1], static_cast<float*>(operands[2]), static_cast<int32_t*>(operands[3])},
             op_, stream);
  }

 private:
  Rope op_;
  LaunchRope* enqueue_;
};

/// FlashInfer rotates heads whose threads fill whole vectors: its dispatch knows these sizes.
std::string why_not_flashinfer(const Rope& op, const CudaDevice& device) {
  for (const int64_t size : {64, 128, 256, 512})
    if (op.rotary_dim == size) return why_no_unit(unit_of(op), device);
  return fmt::format("FlashInfer rotates 64, 128, 256 or 512 elements, not {}", op.rotary_dim);
}

}  // namespace

void add_rope_cuda_kernels(KernelRegistry& registry) {
  registry.add(Kernel<Rope, CudaDevice>{"flashinfer_rope", "cuda", &why_not_flashinfer,
                                        [](const Rope& op, CudaDevice&) -> std::unique_ptr<PreparedKernel> {
                                          return std::make_unique<FlashInferRope>(
                                              op, cuda_unit<LaunchRope>(unit_of(op)));
                                        }});
  registry.add(Kernel<Rope, CudaDevice>{
      "reference", "cuda", [](const Rope& op, const CudaDevice&) { return why_not_wide(op.dtype); },
      [](const Rope& op, CudaDevice& device) {
        return with_wide_element(op.dtype, [&]<class T>(T) {
          return block_kernel_of(device.runtime(), RotateTokens<T>{.op = op});
        });
      }});
}

}  // namespace perfatlas
