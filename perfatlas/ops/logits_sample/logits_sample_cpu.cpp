// SPDX-License-Identifier: Apache-2.0
// One pass over the logits collects candidates above the smallest logit that can still be kept; oneDNN 3.2 has neither
// top-k nor sampling.
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "perfatlas/backends/cpu/avx512_lanes.h"
#include "perfatlas/backends/cpu/loop_kernel.h"
#include "perfatlas/ops/logits_sample/logits_sample.h"

namespace perfatlas {
namespace {

/// A logit and its id as one number: larger logits first, of equal ones the smaller id.
uint64_t key_of(float logit, int64_t id) {
  const auto bits = std::bit_cast<uint32_t>(logit + 0.0F);  // -0 becomes 0
  const uint32_t ordered = bits & 0x80000000U ? ~bits : bits | 0x80000000U;
  return uint64_t(ordered) << 32 | uint32_t(~uint32_t(id));
}
int32_t id_of(uint64_t key) { return int32_t(~uint32_t(key)); }
float logit_of(uint64_t key) {
  const auto ordered = uint32_t(key >> 32);
  return std::bit_cast<float>(ordered & 0x80000000U ? ordered & 0x7FFFFFFFU : ~ordered);
}

/// The candidates of one row or of a part of it. Memory: capacity(topk) keys.
struct Candidates {
  uint64_t* keys;
  size_t topk;
  size_t count = 0;
  float threshold = -std::numeric_limits<float>::infinity();  // logits not above it cannot be kept any more
  bool full = false;                                          // topk candidates are known

  static size_t capacity(size_t topk) { return 2 * topk + kLanes; }

  /// Keeps the topk largest.
  void prune() {
    if (count <= topk) return;
    std::nth_element(keys, keys + topk - 1, keys + count, std::greater<>());
    count = topk;
    full = true;
    threshold = logit_of(keys[topk - 1]);
  }
  void add(uint64_t key) {
    keys[count++] = key;
    if (count == capacity(topk)) prune();
  }
};

template <class T>
void scan_portable(const T* logits, int64_t first, int64_t last, Candidates& found) {
  for (int64_t id = first; id < last; ++id) {
    const float logit = to_float(logits[id]);
    if (!found.full || logit > found.threshold) found.add(key_of(logit, id));
  }
}

template <class T>
PERFATLAS_AVX512 void scan_avx512(const T* logits, int64_t first, int64_t last, Candidates& found) {
  for (int64_t id = first; id < last; id += kLanes) {
    const __mmask16 lanes = lanes_from(last - id);
    const __m512 values = load_lanes(logits + id, lanes);
    const __mmask16 larger =
        _mm512_mask_cmp_ps_mask(lanes, values, _mm512_set1_ps(found.threshold), _CMP_GT_OQ);
    alignas(64) float stored[kLanes];
    unsigned left = found.full ? larger : lanes;
    if (left == 0) continue;
    _mm512_store_ps(stored, values);
    for (; left != 0; left &= left - 1) {
      const int lane = __builtin_ctz(left);
      found.add(key_of(stored[lane], id + lane));
    }
  }
}

/// Sums in double precision, so that every kernel draws the same token.
int32_t draw(Candidates& found, double top_p, double u) {
  found.prune();
  std::sort(found.keys, found.keys + found.count, std::greater<>());
  const double largest = logit_of(found.keys[0]);
  const auto weight = [&](size_t i) { return std::exp(double(logit_of(found.keys[i])) - largest); };
  double sum = 0;
  for (size_t i = 0; i < found.count; ++i) sum += weight(i);
  double nucleus = 0;
  for (size_t i = 0; i < found.count; ++i)
    if ((nucleus += weight(i)) >= top_p * sum) break;
  double mass = 0;
  for (size_t i = 0; i + 1 < found.count; ++i)
    if ((mass += weight(i)) > u * nucleus) return id_of(found.keys[i]);
  return id_of(found.keys[found.count - 1]);
}

template <class T>
using Scan = void (*)(const T*, int64_t, int64_t, Candidates&);

/// Requests are shared out between threads; when there are fewer of them than threads, parts of the vocabulary are.
template <class T>
class TopKSample final : public PreparedKernel {
 public:
  TopKSample(const LogitsSample& op, int threads, Scan<T> scan)
      : op_(op), threads_(threads), parts_(std::max<int64_t>(threads / op.batch, 1)), scan_(scan) {}

  size_t workspace_bytes() const override {
    return size_t(threads_) *
           (Candidates::capacity(size_t(op_.topk)) * sizeof(uint64_t) + sizeof(Candidates));
  }

  void launch(Stream, std::span<void* const> operands, void* workspace) override {
    auto* lists = static_cast<Candidates*>(workspace);
    for (int i = 0; i < threads_; ++i) lists[i] = list(workspace, i);
    if (parts_ > 1)
      sample_by_parts(operands, lists);
    else
      sample_by_rows(operands, lists);
  }

 private:
  Candidates list(void* workspace, int index) const {
    auto* keys = reinterpret_cast<uint64_t*>(static_cast<Candidates*>(workspace) + threads_);
    const auto topk = size_t(op_.topk);
    return {.keys = keys + size_t(index) * Candidates::capacity(topk), .topk = topk};
  }

  void finish(std::span<void* const> operands, int64_t row, Candidates& found) const {
    static_cast<int32_t*>(operands[3])[row] =
        draw(found, static_cast<const float*>(operands[1])[row], static_cast<const float*>(operands[2])[row]);
  }

  void sample_by_rows(std::span<void* const> operands, Candidates* lists) const {
#pragma omp parallel for num_threads(threads_) schedule(static)
    for (int64_t row = 0; row < op_.batch; ++row) {
      Candidates& found = lists[omp_get_thread_num()];
      found = {.keys = found.keys, .topk = found.topk};
      scan_(static_cast<const T*>(operands[0]) + row * op_.vocab, 0, op_.vocab, found);
      finish(operands, row, found);
    }
  }

  void sample_by_parts(std::span<void* const> operands, Candidates* lists) const {
#pragma omp parallel num_threads(threads_)
    {
#pragma omp for schedule(static)
      for (int64_t item = 0; item < op_.batch * parts_; ++item) {
        const int64_t row = item / parts_, part = item % parts_;
        scan_(static_cast<const T*>(operands[0]) + row * op_.vocab, op_.vocab * part / parts_,
              op_.vocab * (part + 1) / parts_, lists[item]);
        lists[item].prune();
      }
#pragma omp for schedule(static)
      for (int64_t row = 0; row < op_.batch; ++row) {
        Candidates& first = lists[row * parts_];
        for (int64_t part = 1; part < parts_; ++part) {
          const Candidates& other = lists[row * parts_ + part];
          for (size_t i = 0; i < other.count; ++i) first.add(other.keys[i]);
        }
        finish(operands, row, first);
      }
    }
  }

  LogitsSample op_;
  int threads_;
  int64_t parts_;
  Scan<T> scan_;
};

template <bool avx512>
std::unique_ptr<PreparedKernel> prepare(const LogitsSample& op, CpuDevice& device) {
  const auto make = [&]<class T>(T) -> std::unique_ptr<PreparedKernel> {
    const Scan<T> scan = avx512 ? &scan_avx512<T> : &scan_portable<T>;
    return std::make_unique<TopKSample<T>>(op, device.threads(), scan);
  };
  return op.dtype == DType::f32 ? make(0.0F) : make(Bf16{});
}

std::string why_not_portable(const LogitsSample& op, const CpuDevice&) { return why_no_loop_type(op.dtype); }

std::string why_not_avx512(const LogitsSample& op, const CpuDevice& device) {
  if (std::string reason = why_no_loop_type(op.dtype); !reason.empty()) return reason;
  return device.isa().avx512 ? "" : "this CPU has no AVX-512";
}

}  // namespace

void add_logits_sample_cpu_kernels(KernelRegistry& registry) {
  registry.add(Kernel<LogitsSample, CpuDevice>{"perfatlas_threshold_avx512", "onednn", &why_not_avx512,
                                               &prepare<true>});
  registry.add(Kernel<LogitsSample, CpuDevice>{"perfatlas_threshold_portable", "onednn", &why_not_portable,
                                               &prepare<false>});
}

}  // namespace perfatlas
