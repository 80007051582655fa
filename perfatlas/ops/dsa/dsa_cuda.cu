// SPDX-License-Identifier: Apache-2.0
// FlashInfer's top-k, and plain kernels of sparse attention.
#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "perfatlas/backends/cuda/cuda_units.h"
#include "perfatlas/backends/cuda/top_k_unit.h"
#include "perfatlas/ops/attention/attention_cuda_rows.cuh"
#include "perfatlas/ops/dsa/dsa_attention.h"
#include "perfatlas/ops/dsa/dsa_cuda_flashinfer.h"
#include "perfatlas/ops/dsa/dsa_mqa_logits.h"
#include "perfatlas/ops/dsa/dsa_topk.h"

namespace perfatlas {
namespace {

/// A block per new token and kPart positions of its context.
template <class T, class KV>
struct ScoreTokens {
  static constexpr int64_t kPart = 1024;
  int64_t tokens = 0, isl = 0, step = 0, heads = 0, width = 0;
  const T* q = nullptr;
  const float* weights = nullptr;
  PagedRows<KV> keys;
  float* logits = nullptr;

  void bind(std::span<void* const> operands, void*) {
    q = static_cast<const T*>(operands[logits_q_at]);
    weights = static_cast<const float*>(operands[logits_weights_at]);
    keys.cache = static_cast<const KV*>(operands[logits_cache_at]);
    keys.page_table = static_cast<const int32_t*>(operands[logits_page_table_at]);
    logits = static_cast<float*>(operands[logits_out_at]);
  }
  int64_t parts() const { return (step + isl + kPart - 1) / kPart; }
  int64_t blocks() const { return tokens * parts(); }
  int64_t shared_floats() const { return 0; }

  PERFATLAS_BOTH void operator()(const Block& block) const {
    const int64_t context = step + isl, count = (context + kPart - 1) / kPart;
    const int64_t token = block.index() / count, first = block.index() % count * kPart;
    const int64_t visible = step + token % isl + 1, sequence = token / isl;
    const ScoreTokens& self = *this;
    block.each(context - first < kPart ? context - first : kPart, [&](int64_t i) {
      const int64_t at = first + i;
      float score = 0;
      if (at < visible) {
        const KV* key = self.keys.at(sequence, at, 0);
        for (int64_t head = 0; head < self.heads; ++head) {
          const T* query = self.q + (token * self.heads + head) * self.width;
          float product = 0;
          for (int64_t d = 0; d < self.width; ++d) product += to_float(query[d]) * to_float(key[d]);
          score += self.weights[token * self.heads + head] * (product > 0 ? product : 0);
        }
      }
      self.logits[token * context + at] = score;
    });
  }
};

/// Positions of the largest scores of each token, ascending; of equal scores the lower positions. A block per token:
/// the smallest score that is kept is found bit by bit, then every thread writes the kept positions of its stretch.
struct SelectPositions {
  static constexpr int64_t kStretches = Block::kThreads;
  int64_t tokens = 0, isl = 0, step = 0, topk = 0;
  const float* logits = nullptr;
  int32_t* selected = nullptr;

  void bind(std::span<void* const> operands, void*) {
    logits = static_cast<const float*>(operands[0]);
    selected = static_cast<int32_t*>(operands[1]);
  }
  int64_t blocks() const { return tokens; }
  int64_t shared_floats() const { return 2 * (kStretches + 1); }

  /// Larger scores have larger keys; -0 equals 0.
  static PERFATLAS_BOTH uint32_t key_of(float score) {
    const float positive_zero = score + 0.0F;
    uint32_t bits;
    memcpy(&bits, &positive_zero, sizeof bits);
    return bits & 0x80000000U ? ~bits : bits | 0x80000000U;
  }

  PERFATLAS_BOTH void operator()(const Block& block) const {
    const int64_t visible = step + block.index() % isl + 1, most = topk;
    const float* row = logits + block.index() * (step + isl);
    int32_t* to = selected + block.index() * topk;
    const int64_t kept = visible < most ? visible : most;
    uint32_t threshold = 0;  // the largest key that `kept` scores reach
    for (int bit = 31; bit >= 0; --bit) {
      const uint32_t tried = threshold | uint32_t(1) << bit;
      const float reach =
          block.sum(visible, [=](int64_t i) { return key_of(row[i]) >= tried ? 1.0F : 0.0F; });
      if (int64_t(reach) >= kept) threshold = tried;
    }
    // Per stretch of positions: how many are above the threshold, and how many equal it.
    float *above = block.shared(), *equal = above + kStretches + 1;
    const int64_t stretch = (visible + kStretches - 1) / kStretches;
    const auto for_stretch = [=](int64_t s, const auto& visit) {
      for (int64_t i = s * stretch; i < (s + 1) * stretch && i < visible; ++i) visit(i, key_of(row[i]));
    };
    block.each(kStretches, [=](int64_t s) {
      float more = 0, same = 0;
      for_stretch(s, [&](int64_t, uint32_t key) { more += key > threshold, same += key == threshold; });
      above[s + 1] = more, equal[s + 1] = same;
    });
    block.each(1, [=](int64_t) {
      above[0] = equal[0] = 0;
      for (int64_t s = 0; s < kStretches; ++s) above[s + 1] += above[s], equal[s + 1] += equal[s];
    });
    const auto ties = int64_t(float(kept) - above[kStretches]);  // so many of the equal ones are kept
    block.each(kStretches, [=](int64_t s) {
      auto seen = int64_t(equal[s]);
      int64_t at = int64_t(above[s]) + (seen < ties ? seen : ties);
      for_stretch(s, [&](int64_t i, uint32_t key) {
        if (key > threshold || (key == threshold && seen++ < ties)) to[at++] = int32_t(i);
      });
    });
    block.each(most - kept, [=](int64_t i) { to[kept + i] = -1; });
  }
};

/// A block per new token and head.
template <class T, class KV>
struct AttendSelected {
  int64_t tokens = 0, isl = 0, step = 0, heads = 0, topk = 0, value_dim = 0;
  float scale = 1;
  const T* q = nullptr;
  PagedRows<KV> rows;
  const int32_t* selected = nullptr;
  T* out = nullptr;

  void bind(std::span<void* const> operands, void*) {
    q = static_cast<const T*>(operands[dsa_q_at]);
    rows.cache = static_cast<const KV*>(operands[dsa_cache_at]);
    rows.page_table = static_cast<const int32_t*>(operands[dsa_page_table_at]);
    selected = static_cast<const int32_t*>(operands[dsa_selected_at]);
    out = static_cast<T*>(operands[dsa_out_at]);
  }
  int64_t blocks() const { return tokens * heads; }
  int64_t shared_floats() const { return AttendedRow<T>::shared_floats(value_dim); }

  PERFATLAS_BOTH void operator()(const Block& block) const {
    const int64_t token = block.index() / heads, visible = step + token % isl + 1;
    const int32_t* positions = selected + token * topk;
    const AttendSelected& self = *this;
    const auto row = [&](int64_t i) { return self.rows.at(token / self.isl, positions[i], 0); };
    const AttendedRow<T> attended{.query = q + block.index() * rows.width,
                                  .out = out + block.index() * value_dim,
                                  .first = 0,
                                  .last = visible < topk ? visible : topk,
                                  .head_dim = rows.width,
                                  .value_dim = value_dim,
                                  .scale = scale};
    attended.attend(block, row, row);
  }
};

/// Positions and counts are compared as floats.
constexpr int64_t kMostContext = int64_t(1) << 24;

std::string why_not(const DsaKernelCase& op) {
  if (std::string reason = why_not_wide(op.dtype); !reason.empty()) return reason;
  if (op.kv_dtype != op.dtype && op.kv_dtype != DType::fp8_e4m3)
    return fmt::format("no CUDA kernel reads a {} cache for {} attention", name_of(op.kv_dtype),
                       name_of(op.dtype));
  return op.shape().context_tokens() <= kMostContext ? "" : "contexts of more than 16,777,216 tokens";
}

/// f(T{}, KV{}) with the types of activations and cache.
template <class F>
std::unique_ptr<PreparedKernel> with_types(const DsaKernelCase& op, const F& f) {
  return with_wide_element(op.dtype, [&]<class T>(T type) {
    return op.kv_dtype == DType::fp8_e4m3 ? f(type, CudaFp8{}) : f(type, T{});
  });
}

constexpr std::string_view kTopKUnit = "flashinfer_ragged_top_k_f32";

std::string why_not_flashinfer(const DsaTopk& op, const CudaDevice& device) {
  const DsaShape s = op.shape();
  if (s.geometry.topk > kMostFlashInferTopK || s.geometry.topk >= s.context_tokens())
    return fmt::format("FlashInfer keeps at most {} positions, and not all", kMostFlashInferTopK);
  if (!has_shared_memory_for_top_k(device.sm_version()))
    return fmt::format("FlashInfer selects in 128 KiB of shared memory, which {} does not have",
                       device.info().name);
  return why_no_unit(kTopKUnit, device);
}

/// How many positions each token sees does not change from launch to launch.
class SelectRagged final : public PreparedKernel {
 public:
  SelectRagged(const DsaShape& s, CudaDevice& device) : launch_(cuda_unit<LaunchTopK>(kTopKUnit)) {
    std::vector<int32_t> visible, none(size_t(s.tokens()), 0);
    for (int64_t token = 0; token < s.tokens(); ++token)
      visible.push_back(int32_t(s.step + token % s.isl + 1));
    for (const auto& [at, values] : {std::pair{&lengths_, &visible}, std::pair{&offsets_, &none}}) {
      *at = device.allocate(values->size() * sizeof(int32_t));
      device.copy_in(at->get(), values->data(), values->size() * sizeof(int32_t));
    }
    rows_ = {.rows = s.tokens(),
             .columns = s.context_tokens(),
             .topk = s.geometry.topk,
             .lengths = static_cast<int32_t*>(lengths_.get()),
             .offsets = static_cast<int32_t*>(offsets_.get())};
  }
  void launch(Stream stream, std::span<void* const> operands, void*) override {
    TopKRows rows = rows_;
    rows.values = operands[0];
    rows.index = static_cast<int32_t*>(operands[1]);
    launch_(rows, stream);
  }

 private:
  LaunchTopK* launch_;
  std::shared_ptr<void> lengths_, offsets_;
  TopKRows rows_;
};

template <class Op>
void add_reference(KernelRegistry& registry,
                   std::unique_ptr<PreparedKernel> (*prepare)(const Op&, CudaDevice&)) {
  registry.add(Kernel<Op, CudaDevice>{"reference", "cuda",
                                      [](const Op& op, const CudaDevice&) { return why_not(op); }, prepare});
}

}  // namespace

void add_dsa_cuda_kernels(KernelRegistry& registry) {
  add_reference<DsaMqaLogits>(registry, [](const DsaMqaLogits& op, CudaDevice& device) {
    const DsaShape s = op.shape();
    return with_types(op, [&]<class T, class KV>(T, KV) {
      return block_kernel_of(device.runtime(), ScoreTokens<T, KV>{.tokens = s.tokens(),
                                                                  .isl = s.isl,
                                                                  .step = s.step,
                                                                  .heads = s.geometry.index_heads,
                                                                  .width = s.geometry.index_dim,
                                                                  .keys = {.pages = s.pages_per_sequence(),
                                                                           .kv_heads = 1,
                                                                           .width = s.geometry.index_dim}});
    });
  });
  registry.add(Kernel<DsaTopk, CudaDevice>{
      "flashinfer_top_k", "cuda", &why_not_flashinfer,
      [](const DsaTopk& op, CudaDevice& device) -> std::unique_ptr<PreparedKernel> {
        return std::make_unique<SelectRagged>(op.shape(), device);
      }});
  add_reference<DsaTopk>(registry, [](const DsaTopk& op, CudaDevice& device) {
    const DsaShape s = op.shape();
    return block_kernel_of(
        device.runtime(),
        SelectPositions{.tokens = s.tokens(), .isl = s.isl, .step = s.step, .topk = s.geometry.topk});
  });
  add_flashinfer_sparse_mla(registry);
  add_reference<DsaAttention>(registry, [](const DsaAttention& op, CudaDevice& device) {
    const DsaShape s = op.shape();
    return with_types(op, [&]<class T, class KV>(T, KV) {
      return block_kernel_of(
          device.runtime(),
          AttendSelected<T, KV>{
              .tokens = s.tokens(),
              .isl = s.isl,
              .step = s.step,
              .heads = op.heads,
              .topk = s.geometry.topk,
              .value_dim = s.geometry.kv_lora,
              .scale = float(1 / std::sqrt(double(s.geometry.head()))),
              .rows = {.pages = s.pages_per_sequence(), .kv_heads = 1, .width = s.geometry.latent()}});
    });
  });
}

}  // namespace perfatlas
