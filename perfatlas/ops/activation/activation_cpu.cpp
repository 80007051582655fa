// SPDX-License-Identifier: Apache-2.0
// oneDNN 3.2 computes GELU of dense rows; gated and squared functions it has only in its reference implementation.
#include <cmath>

#include "perfatlas/backends/cpu/avx512_lanes.h"
#include "perfatlas/backends/cpu/loop_kernel.h"
#include "perfatlas/backends/cpu/onednn_primitive.h"
#include "perfatlas/base/error.h"
#include "perfatlas/ops/activation/activation.h"
#include "perfatlas/ops/attention/attention_cpu_exp.h"

namespace perfatlas {
namespace {

using dnnl::memory;
using enum ActivationKind;

constexpr float kLog2E = 1.44269504F;
/// gelu(v) = v * sigmoid(kGeluSlope * v * (1 + 0.044715 v^2)), because 1 + tanh(u) = 2 * sigmoid(2u).
constexpr float kGeluSlope = 1.59576912F;  // 2 * sqrt(2 / pi)
constexpr float kGeluCube = 0.044715F;

/// 1 / (1 + e^-v) without overflow: the exponential is that of -|v|.
PERFATLAS_AVX512 inline __m512 sigmoid(__m512 v) {
  const __m512 falling = exp2_lanes<true>(_mm512_mul_ps(_mm512_abs_ps(v), _mm512_set1_ps(-kLog2E)));
  const __mmask16 negative = _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_LT_OQ);
  const __m512 one = _mm512_set1_ps(1);
  return _mm512_div_ps(_mm512_mask_blend_ps(negative, one, falling), _mm512_add_ps(one, falling));
}

template <ActivationKind kind>
PERFATLAS_AVX512 inline __m512 apply(__m512 v) {
  if constexpr (kind == silu_mul) return _mm512_mul_ps(v, sigmoid(v));
  if constexpr (kind == relu2) {
    const __m512 positive = _mm512_max_ps(v, _mm512_setzero_ps());
    return _mm512_mul_ps(positive, positive);
  }
  const __m512 square = _mm512_mul_ps(v, v);
  const __m512 bent = _mm512_fmadd_ps(square, _mm512_set1_ps(kGeluCube), _mm512_set1_ps(1));
  return _mm512_mul_ps(v, sigmoid(_mm512_mul_ps(_mm512_mul_ps(v, _mm512_set1_ps(kGeluSlope)), bent)));
}

template <ActivationKind kind>
float apply(float v) {
  if constexpr (kind == silu_mul) return v / (1 + std::exp(-v));
  if constexpr (kind == relu2) return v > 0 ? v * v : 0;
  return v / (1 + std::exp(-kGeluSlope * v * (1 + kGeluCube * v * v)));
}

template <class T, ActivationKind kind>
PERFATLAS_AVX512 void rows_avx512(const Activation& op, std::span<void* const> operands, int64_t first,
                                  int64_t last) {
  const auto* x = static_cast<const T*>(operands[0]) + first * op.input_width();
  auto* out = static_cast<T*>(operands[1]) + first * op.inter;
  for (int64_t row = first; row < last; ++row, x += op.input_width(), out += op.inter)
    for (int64_t i = 0; i < op.inter; i += kLanes) {
      const __mmask16 lanes = lanes_from(op.inter - i);
      __m512 value = apply<kind>(load_lanes(x + i, lanes));
      if constexpr (kind == silu_mul || kind == gelu_mul)
        value = _mm512_mul_ps(value, load_lanes(x + op.inter + i, lanes));
      store_lanes(out + i, lanes, value);
    }
}

template <class T, ActivationKind kind>
void rows_portable(const Activation& op, std::span<void* const> operands, int64_t first, int64_t last) {
  const auto* x = static_cast<const T*>(operands[0]) + first * op.input_width();
  auto* out = static_cast<T*>(operands[1]) + first * op.inter;
  for (int64_t row = first; row < last; ++row, x += op.input_width(), out += op.inter)
    for (int64_t i = 0; i < op.inter; ++i) {
      float value = apply<kind>(to_float(x[i]));
      if constexpr (kind == silu_mul || kind == gelu_mul) value *= to_float(x[op.inter + i]);
      out[i] = from_float<T>(value);
    }
}

struct ActivationLoops {
  using Op = Activation;
  static std::string why_not(const Op& op) { return why_no_loop_type(op.dtype); }
  static int64_t items(const Op& op) { return op.tokens; }

  template <class T>
  static LoopShare<Op> avx512_of(ActivationKind kind) {
    if (kind == silu_mul) return &rows_avx512<T, silu_mul>;
    if (kind == gelu_mul) return &rows_avx512<T, gelu_mul>;
    return kind == gelu ? &rows_avx512<T, gelu> : &rows_avx512<T, relu2>;
  }
  static LoopShare<Op> avx512(const Op& op) {
    return op.dtype == DType::f32 ? avx512_of<float>(op.kind) : avx512_of<Bf16>(op.kind);
  }
  template <class T>
  static LoopShare<Op> portable_of(ActivationKind kind) {
    if (kind == silu_mul) return &rows_portable<T, silu_mul>;
    if (kind == gelu_mul) return &rows_portable<T, gelu_mul>;
    return kind == gelu ? &rows_portable<T, gelu> : &rows_portable<T, relu2>;
  }
  static LoopShare<Op> portable(const Op& op) {
    return op.dtype == DType::f32 ? portable_of<float>(op.kind) : portable_of<Bf16>(op.kind);
  }
};

dnnl::eltwise_forward::primitive_desc describe(const Activation& op, const OnednnContext& onednn) {
  const memory::desc rows({op.tokens, op.inter}, *onednn_type(op.dtype), memory::format_tag::ab);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return {onednn.engine,
          dnnl::prop_kind::forward_inference,
          dnnl::algorithm::eltwise_gelu_tanh,
          rows,
          rows,
          0.F,
          0.F,
          attributes};
}

class OnednnGelu final : public PreparedKernel {
 public:
  OnednnGelu(const dnnl::eltwise_forward::primitive_desc& description, const OnednnContext& onednn)
      : primitive_(description,
                   {{DNNL_ARG_SRC, description.src_desc()}, {DNNL_ARG_DST, description.dst_desc()}}, onednn) {
  }

  size_t workspace_bytes() const override { return primitive_.scratchpad_bytes(); }
  void launch(Stream, std::span<void* const> operands, void* workspace) override {
    primitive_.execute(operands.data(), workspace);
  }

 private:
  OnednnPrimitive primitive_;
};

std::string why_no_onednn(const Activation& op, const CpuDevice& device) {
  if (op.kind != gelu) return "oneDNN has only its reference implementation of gated and squared activations";
  try {
    return onednn_fallback_reason(describe(op, device.onednn()));
  } catch (const dnnl::error& error) {
    return fmt::format("oneDNN {} has no {} GELU for this CPU ({})", onednn_version(), name_of(op.dtype),
                       error.what());
  }
}

std::unique_ptr<PreparedKernel> prepare_onednn(const Activation& op, CpuDevice& device) {
  try {
    return std::make_unique<OnednnGelu>(describe(op, device.onednn()), device.onednn());
  } catch (const dnnl::error& error) {
    throw Error(fmt::format("oneDNN {} cannot prepare this GELU: {}", onednn_version(), error.what()));
  }
}

}  // namespace

void add_activation_cpu_kernels(KernelRegistry& registry) {
  add_avx512_loop<ActivationLoops>(registry);
  registry.add(
      Kernel<Activation, CpuDevice>{"onednn_eltwise_gelu_tanh", "onednn", &why_no_onednn, &prepare_onednn});
  add_portable_loop<ActivationLoops>(registry);
}

}  // namespace perfatlas
