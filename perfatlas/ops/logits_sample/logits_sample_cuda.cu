// SPDX-License-Identifier: Apache-2.0
// Kernels that draw the token which the op defines: FlashInfer selects the largest logits, or a plain kernel does.
// FlashInfer's samplers draw with a generator of their own, so that no reference can judge them.
#include "perfatlas/backends/cuda/block_kernel.cuh"
#include "perfatlas/backends/cuda/cuda_element.cuh"
#include "perfatlas/backends/cuda/cuda_units.h"
#include "perfatlas/backends/cuda/top_k_unit.h"
#include "perfatlas/ops/logits_sample/logits_sample.h"

namespace perfatlas {
namespace {

/// Which of the kept logits is drawn (LogitsSample). Sums in double precision, so that every kernel draws the same
/// token.
PERFATLAS_BOTH inline int64_t drawn(const float* kept, int64_t count, double p, double share) {
  const auto weight = [=](int64_t i) { return exp(double(kept[i]) - double(kept[0])); };
  double sum = 0, nucleus = 0, mass = 0;
  for (int64_t i = 0; i < count; ++i) sum += weight(i);
  for (int64_t i = 0; i < count; ++i)
    if ((nucleus += weight(i)) >= p * sum) break;
  for (int64_t i = 0; i + 1 < count; ++i)
    if ((mass += weight(i)) > share * nucleus) return i;
  return count - 1;
}

/// One block per request: the topk largest logits one after the other, each by a pass over all, then the draw.
template <class T>
struct DrawTokens {
  int64_t batch = 0, vocab = 0, topk = 1;
  const T* logits = nullptr;
  const float* top_p = nullptr;
  const float* u = nullptr;
  int32_t* id = nullptr;

  void bind(std::span<void* const> operands, void*) {
    logits = static_cast<const T*>(operands[0]);
    top_p = static_cast<const float*>(operands[1]);
    u = static_cast<const float*>(operands[2]);
    id = static_cast<int32_t*>(operands[3]);
  }
  int64_t blocks() const { return batch; }
  int64_t shared_floats() const { return 2 * topk; }  // logit and id of what is kept

  PERFATLAS_BOTH void operator()(const Block& block) const {
    const T* row = logits + block.index() * vocab;
    float *kept = block.shared(), *ids = kept + topk;
    float last = INFINITY, last_id = -1;
    for (int64_t k = 0; k < topk; ++k) {
      const auto is_left = [=](int64_t i) {
        const float logit = to_float(row[i]);
        return logit < last || (logit == last && float(i) > last_id);
      };
      const float best = block.largest(vocab, -INFINITY,
                                       [=](int64_t i) { return is_left(i) ? to_float(row[i]) : -INFINITY; });
      // Of equal ones the lowest id: the largest of the negated ids.
      const float chosen = -block.largest(vocab, -INFINITY, [=](int64_t i) {
        return is_left(i) && to_float(row[i]) == best ? -float(i) : -INFINITY;
      });
      block.each(1, [=](int64_t) { kept[k] = best, ids[k] = chosen; });
      last = best, last_id = chosen;
    }
    const double p = top_p[block.index()], share = u[block.index()];
    const int64_t count = topk;
    int32_t* to = id + block.index();
    block.each(1, [=](int64_t) { *to = int32_t(ids[drawn(kept, count, p, share)]); });
  }
};

/// One block per request: the draw from logits that were selected before.
template <class T>
struct DrawKept {
  int64_t batch = 0, topk = 1;
  const T* kept = nullptr;         // [batch, topk], descending
  const int32_t* index = nullptr;  // their ids
  const float* top_p = nullptr;
  const float* u = nullptr;
  int32_t* id = nullptr;

  int64_t blocks() const { return batch; }
  int64_t shared_floats() const { return topk; }
  PERFATLAS_BOTH void operator()(const Block& block) const {
    const T* from = kept + block.index() * topk;
    const int32_t* ids = index + block.index() * topk;
    float* logits = block.shared();
    block.each(topk, [=](int64_t i) { logits[i] = to_float(from[i]); });
    const double p = top_p[block.index()], share = u[block.index()];
    const int64_t count = topk;
    int32_t* to = id + block.index();
    block.each(1, [=](int64_t) { *to = ids[drawn(logits, count, p, share)]; });
  }
};

/// FlashInfer's selection, then the draw.
template <class T>
class SelectAndDraw final : public PreparedKernel {
 public:
  SelectAndDraw(const LogitsSample& op, CudaDevice& device)
      : op_(op), runtime_(device.runtime()), select_(cuda_unit<LaunchTopK>(unit_of(op))) {}

  static std::string unit_of(const LogitsSample& op) {
    return fmt::format("flashinfer_top_k_{}", cuda_type_name(op.dtype));
  }
  size_t workspace_bytes() const override { return kept_offset() + size_t(op_.batch * op_.topk) * sizeof(T); }
  void launch(Stream stream, std::span<void* const> operands, void* workspace) override {
    auto* const index = static_cast<int32_t*>(workspace);
    auto* const kept = reinterpret_cast<T*>(static_cast<char*>(workspace) + kept_offset());
    select_({.rows = op_.batch,
             .columns = op_.vocab,
             .topk = op_.topk,
             .values = operands[0],
             .index = index,
             .kept = kept},
            stream);
    runtime_.run(block_work(DrawKept<T>{.batch = op_.batch,
                                        .topk = op_.topk,
                                        .kept = kept,
                                        .index = index,
                                        .top_p = static_cast<const float*>(operands[1]),
                                        .u = static_cast<const float*>(operands[2]),
                                        .id = static_cast<int32_t*>(operands[3])}),
                 stream);
  }

 private:
  size_t kept_offset() const { return (size_t(op_.batch * op_.topk) * sizeof(int32_t) + 255) / 256 * 256; }

  LogitsSample op_;
  CudaRuntime& runtime_;
  LaunchTopK* select_;
};

std::string why_not_flashinfer(const LogitsSample& op, const CudaDevice& device) {
  if (op.topk > kMostFlashInferTopK || op.topk >= op.vocab)
    return fmt::format("FlashInfer keeps at most {} logits, and not all", kMostFlashInferTopK);
  if (!has_shared_memory_for_top_k(device.sm_version()))
    return fmt::format("FlashInfer selects in 128 KiB of shared memory, which {} does not have",
                       device.info().name);
  return why_no_unit(SelectAndDraw<float>::unit_of(op), device);
}

/// Ids are compared as floats, and the kept ones lie in shared memory.
constexpr int64_t kMostVocab = int64_t(1) << 24, kMostTopk = 4096;

}  // namespace

void add_logits_sample_cuda_kernels(KernelRegistry& registry) {
  registry.add(Kernel<LogitsSample, CudaDevice>{
      "flashinfer_top_k", "cuda", &why_not_flashinfer, [](const LogitsSample& op, CudaDevice& device) {
        return with_wide_element(op.dtype, [&]<class T>(T) -> std::unique_ptr<PreparedKernel> {
          return std::make_unique<SelectAndDraw<T>>(op, device);
        });
      }});
  registry.add(Kernel<LogitsSample, CudaDevice>{
      "reference", "cuda",
      [](const LogitsSample& op, const CudaDevice&) -> std::string {
        if (op.vocab > kMostVocab || op.topk > kMostTopk)
          return fmt::format("more than {} logits, or more than {} kept", kMostVocab, kMostTopk);
        return why_not_wide(op.dtype);
      },
      [](const LogitsSample& op, CudaDevice& device) {
        return with_wide_element(op.dtype, [&]<class T>(T) {
          return block_kernel_of(device.runtime(),
                                 DrawTokens<T>{.batch = op.batch, .vocab = op.vocab, .topk = op.topk});
        });
      }});
}

}  // namespace perfatlas
