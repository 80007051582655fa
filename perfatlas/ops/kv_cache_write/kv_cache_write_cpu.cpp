// SPDX-License-Identifier: Apache-2.0
// A scatter of rows with conversion; oneDNN 3.2 has none.
#include "perfatlas/backends/cpu/avx512_lanes.h"
#include "perfatlas/backends/cpu/loop_kernel.h"
#include "perfatlas/ops/kv_cache_write/kv_cache_write.h"

namespace perfatlas {
namespace {

template <class From, class To>
PERFATLAS_AVX512 void convert_avx512(const From* from, To* to, int64_t count) {
  for (int64_t i = 0; i < count; i += kLanes) {
    const __mmask16 lanes = lanes_from(count - i);
    store_lanes(to + i, lanes, load_lanes(from + i, lanes));
  }
}

template <class From, class To>
void convert_portable(const From* from, To* to, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] = from_float<To>(to_float(from[i]));
}

/// Writes the new tokens first .. last-1, counted over all sequences.
template <class From, class To, void (*convert)(const From*, To*, int64_t)>
void write_tokens(const KvCacheWrite& op, std::span<void* const> operands, int64_t first, int64_t last) {
  const auto source = [&](size_t i) { return static_cast<const From*>(operands[i]); };
  const auto cache = [&](size_t i) { return static_cast<To*>(operands[i]); };
  const auto* page_table = static_cast<const int32_t*>(operands[op.latent() ? 3 : 4]);
  const AttentionShape shape = op.shape();
  const int64_t pages = shape.pages_per_sequence(), width = op.head_dim, rotated = op.rope_dim;
  for (int64_t token = first; token < last; ++token) {
    const int64_t position = op.step + token % op.isl;
    const int64_t page = page_table[token / op.isl * pages + position / kPageTokens];
    const int64_t to = (page * op.kv_heads * kPageTokens + position % kPageTokens) * width;
    if (op.latent()) {
      convert(source(0) + token * (width - rotated), cache(2) + to, width - rotated);
      convert(source(1) + token * rotated, cache(2) + to + width - rotated, rotated);
      continue;
    }
    for (int64_t head = 0; head < op.kv_heads; ++head) {
      const int64_t from = (token * op.kv_heads + head) * width, into = to + head * kPageTokens * width;
      convert(source(0) + from, cache(2) + into, width);
      convert(source(1) + from, cache(3) + into, width);
    }
  }
}

struct KvCacheWriteLoops {
  using Op = KvCacheWrite;
  static std::string why_not(const Op& op) {
    if (std::string reason = why_no_loop_type(op.dtype); !reason.empty()) return reason;
    return op.kv_dtype == DType::fp8_e4m3 ? "" : why_no_loop_type(op.kv_dtype);
  }
  static int64_t items(const Op& op) { return op.batch * op.isl; }

  template <class From>
  static LoopShare<Op> avx512_from(DType cache) {
    if (cache == DType::fp8_e4m3) return &write_tokens<From, Fp8, convert_avx512<From, Fp8>>;
    if (cache == DType::f32) return &write_tokens<From, float, convert_avx512<From, float>>;
    return &write_tokens<From, Bf16, convert_avx512<From, Bf16>>;
  }
  static LoopShare<Op> avx512(const Op& op) {
    return op.dtype == DType::f32 ? avx512_from<float>(op.kv_dtype) : avx512_from<Bf16>(op.kv_dtype);
  }
  template <class From>
  static LoopShare<Op> portable_from(DType cache) {
    if (cache == DType::fp8_e4m3) return &write_tokens<From, Fp8, convert_portable<From, Fp8>>;
    if (cache == DType::f32) return &write_tokens<From, float, convert_portable<From, float>>;
    return &write_tokens<From, Bf16, convert_portable<From, Bf16>>;
  }
  static LoopShare<Op> portable(const Op& op) {
    return op.dtype == DType::f32 ? portable_from<float>(op.kv_dtype) : portable_from<Bf16>(op.kv_dtype);
  }
};

}  // namespace

void add_kv_cache_write_cpu_kernels(KernelRegistry& registry) {
  add_loop_kernels<KvCacheWriteLoops>(registry);
}

}  // namespace perfatlas
