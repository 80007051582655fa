// SPDX-License-Identifier: Apache-2.0
// oneDNN 3.2 quantises to int8 with a reorder; it has no fp8 and no reduction of magnitudes.
#include <algorithm>
#include <cmath>

#include "perfatlas/backends/cpu/avx512_lanes.h"
#include "perfatlas/backends/cpu/loop_kernel.h"
#include "perfatlas/backends/cpu/onednn_primitive.h"
#include "perfatlas/base/error.h"
#include "perfatlas/ops/quantize/quantize.h"

namespace perfatlas {
namespace {

using dnnl::memory;

/// Elements that a thread takes at a time where all share one scale.
constexpr int64_t kRun = 4096;

/// The pieces into which m * k elements fall: groups of rows, or runs of the whole matrix.
struct Pieces {
  explicit Pieces(const QuantizeShape& shape) : s(shape) {}

  int64_t count() const { return s.grouped() ? s.m * s.groups() : (s.m * s.k + kRun - 1) / kRun; }
  int64_t begin(int64_t piece) const {
    return s.grouped() ? piece / s.groups() * s.k + piece % s.groups() * s.group() : piece * kRun;
  }
  int64_t size(int64_t piece) const {
    return s.grouped() ? std::min(s.group(), s.k - piece % s.groups() * s.group())
                       : std::min(kRun, s.m * s.k - piece * kRun);
  }

  const QuantizeShape s;
};

/// The largest magnitude of `count` elements. Magnitudes of bf16 are ordered like their bits.
using LargestOf = float (*)(const Bf16* x, int64_t count);

PERFATLAS_AVX512 float largest_avx512(const Bf16* x, int64_t count) {
  __m512i largest = _mm512_setzero_si512();
  for (int64_t i = 0; i < count; i += 32) {
    const __mmask32 lanes = __mmask32(count - i >= 32 ? 0xFFFFFFFFU : (1U << (count - i)) - 1);
    const __m512i bits = _mm512_maskz_loadu_epi16(lanes, x + i);
    largest = _mm512_max_epu16(largest, _mm512_and_si512(bits, _mm512_set1_epi16(0x7FFF)));
  }
  const __m512i even = _mm512_and_si512(largest, _mm512_set1_epi32(0xFFFF));
  const __m512i odd = _mm512_srli_epi32(largest, 16);
  return to_float(Bf16{uint16_t(_mm512_reduce_max_epu32(_mm512_max_epu32(even, odd)))});
}

float largest_portable(const Bf16* x, int64_t count) {
  uint16_t largest = 0;
#pragma omp simd reduction(max : largest)
  for (int64_t i = 0; i < count; ++i) largest = std::max(largest, uint16_t(x[i].bits & 0x7FFF));
  return to_float(Bf16{largest});
}

class ScaleReduction final : public PreparedKernel {
 public:
  ScaleReduction(const ComputeScale& op, int threads, LargestOf largest)
      : pieces_(op.shape()), largest_(largest) {
    const auto useful = int64_t(op.work().bytes() / kBytesPerThread);
    threads_ = int(std::clamp<int64_t>(std::min(useful, pieces_.count()), 1, threads));
  }

  void launch(Stream, std::span<void* const> operands, void*) override {
    const auto* x = static_cast<const Bf16*>(operands[0]);
    auto* scales = static_cast<float*>(operands[1]);
    const int64_t count = pieces_.count();
    if (pieces_.s.grouped()) {
#pragma omp parallel for num_threads(threads_) schedule(static) if (threads_ > 1)
      for (int64_t i = 0; i < count; ++i)
        scales[i] = scale_of(largest_(x + pieces_.begin(i), pieces_.size(i)));
      return;
    }
    float largest = 0;
#pragma omp parallel for num_threads(threads_) schedule(static) reduction(max : largest) if (threads_ > 1)
    for (int64_t i = 0; i < count; ++i)
      largest = std::max(largest, largest_(x + pieces_.begin(i), pieces_.size(i)));
    scales[0] = scale_of(largest);
  }

 private:
  float scale_of(float largest) const {
    return std::max(largest / float(pieces_.s.largest()), float(kSmallestScale));
  }

  Pieces pieces_;
  LargestOf largest_;
  int threads_;
};

template <class To>
PERFATLAS_AVX512 void quantize_avx512(const Bf16* x, float scale, To* q, int64_t count) {
  const __m512 factor = _mm512_set1_ps(1 / scale);
  for (int64_t i = 0; i < count; i += kLanes) {
    const __mmask16 lanes = lanes_from(count - i);
    store_lanes(q + i, lanes, _mm512_mul_ps(load_lanes(x + i, lanes), factor));
  }
}

template <class To>
void quantize_portable(const Bf16* x, float scale, To* q, int64_t count) {
  const float factor = 1 / scale;
  for (int64_t i = 0; i < count; ++i) q[i] = from_float<To>(to_float(x[i]) * factor);
}

template <class To, void (*quantize)(const Bf16*, float, To*, int64_t)>
void quantize_pieces(const ScaleMatrix& op, std::span<void* const> operands, int64_t first, int64_t last) {
  const auto* x = static_cast<const Bf16*>(operands[0]);
  const auto* scales = static_cast<const float*>(operands[1]);
  auto* q = static_cast<To*>(operands[2]);
  const Pieces pieces(op.shape());
  for (int64_t i = first; i < last; ++i)
    quantize(x + pieces.begin(i), scales[pieces.s.grouped() ? i : 0], q + pieces.begin(i), pieces.size(i));
}

struct ScaleMatrixLoops {
  using Op = ScaleMatrix;
  static std::string why_not(const Op&) { return {}; }
  static int64_t items(const Op& op) { return Pieces(op.shape()).count(); }
  static LoopShare<Op> avx512(const Op& op) {
    if (op.dtype == Quant::int8) return &quantize_pieces<int8_t, quantize_avx512<int8_t>>;
    return &quantize_pieces<Fp8, quantize_avx512<Fp8>>;
  }
  static LoopShare<Op> portable(const Op& op) {
    if (op.dtype == Quant::int8) return &quantize_pieces<int8_t, quantize_portable<int8_t>>;
    return &quantize_pieces<Fp8, quantize_portable<Fp8>>;
  }
};

/// x / scale as an int8 reorder; the scale is an argument of each launch.
dnnl::reorder::primitive_desc describe(const ScaleMatrix& op, const OnednnContext& onednn) {
  const memory::dims extents{op.m, op.k};
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attributes.set_scales_mask(DNNL_ARG_DST, 0);
  return {onednn.engine, memory::desc(extents, memory::data_type::bf16, memory::format_tag::ab),
          onednn.engine, memory::desc(extents, memory::data_type::s8, memory::format_tag::ab), attributes};
}

class OnednnQuantize final : public PreparedKernel {
 public:
  OnednnQuantize(const dnnl::reorder::primitive_desc& description, const OnednnContext& onednn)
      : primitive_(description,
                   {{DNNL_ARG_FROM, description.src_desc()},
                    {DNNL_ARG_ATTR_SCALES | DNNL_ARG_DST,
                     memory::desc({1}, memory::data_type::f32, memory::format_tag::x)},
                    {DNNL_ARG_TO, description.dst_desc()}},
                   onednn) {}

  size_t workspace_bytes() const override { return primitive_.scratchpad_bytes(); }
  void launch(Stream, std::span<void* const> operands, void* workspace) override {
    primitive_.execute(operands.data(), workspace);
  }

 private:
  OnednnPrimitive primitive_;
};

std::string why_no_reorder(const ScaleMatrix& op, const CpuDevice& device) {
  if (op.dtype != Quant::int8) return fmt::format("oneDNN {} has no fp8 type", onednn_version());
  try {
    return onednn_fallback_reason(describe(op, device.onednn()));
  } catch (const dnnl::error& error) {
    return fmt::format("oneDNN {} cannot quantise bfloat16 on this CPU ({})", onednn_version(), error.what());
  }
}

std::unique_ptr<PreparedKernel> prepare_reorder(const ScaleMatrix& op, CpuDevice& device) {
  try {
    return std::make_unique<OnednnQuantize>(describe(op, device.onednn()), device.onednn());
  } catch (const dnnl::error& error) {
    throw Error(fmt::format("oneDNN {} cannot prepare this reorder: {}", onednn_version(), error.what()));
  }
}

template <LargestOf largest>
std::unique_ptr<PreparedKernel> prepare_reduction(const ComputeScale& op, CpuDevice& device) {
  return std::make_unique<ScaleReduction>(op, device.threads(), largest);
}

}  // namespace

void add_quantize_cpu_kernels(KernelRegistry& registry) {
  registry.add(Kernel<ComputeScale, CpuDevice>{"perfatlas_avx512_reduction", "onednn",
                                               [](const ComputeScale&, const CpuDevice& device) {
                                                 return std::string(
                                                     device.isa().avx512 ? "" : "this CPU has no AVX-512");
                                               },
                                               &prepare_reduction<&largest_avx512>});
  registry.add(
      Kernel<ComputeScale, CpuDevice>{"perfatlas_portable_reduction", "onednn",
                                      [](const ComputeScale&, const CpuDevice&) { return std::string(); },
                                      &prepare_reduction<&largest_portable>});
  add_avx512_loop<ScaleMatrixLoops>(registry);
  registry.add(Kernel<ScaleMatrix, CpuDevice>{"onednn_reorder", "onednn", &why_no_reorder, &prepare_reorder});
  add_portable_loop<ScaleMatrixLoops>(registry);
}

}  // namespace perfatlas
