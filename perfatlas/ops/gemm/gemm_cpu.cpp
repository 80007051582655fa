// SPDX-License-Identifier: Apache-2.0
// oneDNN matmul. Packed weights are what a serving engine prepares once per model; plain weights are what a call on
// unprepared tensors costs.
#include <fmt/format.h>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/cpu/onednn_primitive.h"
#include "perfatlas/backends/kernel.h"
#include "perfatlas/base/error.h"
#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/ops/gemm/gemm_cpu_dequant.h"

namespace perfatlas {
namespace {

using dnnl::memory;

enum class Weights { packed, plain };

/// The three operands as oneDNN sees them: W[n,k] row-major is the k x n matrix with k innermost.
struct MatmulShapes {
  memory::desc a, w, d;
};

MatmulShapes shapes_of(const Gemm& gemm) {
  const Operands operands = gemm.operands();
  const auto type = [&](size_t i) { return *onednn_type(operands[i].dtype); };
  return {{{gemm.m, gemm.k}, type(0), memory::format_tag::ab},
          {{gemm.k, gemm.n}, type(1), memory::format_tag::ba},
          {{gemm.m, gemm.n}, type(2), memory::format_tag::ab}};
}

dnnl::matmul::primitive_desc describe(const Gemm& gemm, Weights weights, const OnednnContext& onednn) {
  MatmulShapes shapes = shapes_of(gemm);
  if (weights == Weights::packed)
    shapes.w = {shapes.w.get_dims(), shapes.w.get_data_type(), memory::format_tag::any};
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (gemm.dtype == Quant::int8) {
    attributes.set_scales_mask(DNNL_ARG_SRC, 0);
    attributes.set_scales_mask(DNNL_ARG_WEIGHTS, 1 << 1);  // one per column of the k x n matrix
  }
  return {onednn.engine, shapes.a, shapes.w, shapes.d, attributes};
}

/// One per operand of the op, in order.
std::vector<OnednnPrimitive::Argument> arguments_of(const Gemm& gemm, const memory::desc& weights) {
  const MatmulShapes shapes = shapes_of(gemm);
  std::vector<OnednnPrimitive::Argument> arguments = {
      {DNNL_ARG_SRC, shapes.a}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, shapes.d}};
  const auto scales = [](int64_t count) {
    return memory::desc({count}, memory::data_type::f32, memory::format_tag::x);
  };
  if (gemm.dtype == Quant::int8) {
    arguments.push_back({DNNL_ARG_ATTR_SCALES | DNNL_ARG_SRC, scales(1)});
    arguments.push_back({DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS, scales(gemm.n)});
  }
  return arguments;
}

/// Empty when oneDNN has the types of `quant` at all.
std::string why_no_types(Quant quant) {
  switch (quant) {
    case Quant::f32:
    case Quant::f16:
    case Quant::bf16:
    case Quant::int8:
      return {};
    case Quant::tf32:
      return "no CPU multiplies tf32";
    case Quant::int8_wo:
    case Quant::int4_wo:
      return fmt::format("oneDNN {} multiplies bfloat16 by nothing narrower", onednn_version());
    case Quant::fp8:
    case Quant::fp8_static:
    case Quant::fp8_block:
    case Quant::fp8_rowwise:
    case Quant::mxfp8:
      return fmt::format("oneDNN {} has no fp8 type", onednn_version());
    default:
      return fmt::format(
          "no kernel for {} in this build: oneDNN {} multiplies float32, float16, bfloat16 and int8",
          name_of(quant), onednn_version());
  }
}

std::string why_unsupported_as(const Gemm& gemm, const CpuDevice& device, Weights weights) {
  if (std::string reason = why_no_types(gemm.dtype); !reason.empty()) return reason;
  try {
    return onednn_fallback_reason(describe(gemm, weights, device.onednn()));
  } catch (const dnnl::error& error) {
    return fmt::format("oneDNN {} has no {} matmul for this CPU ({})", onednn_version(), name_of(gemm.dtype),
                       error.what());
  }
}

class OnednnMatmul final : public PreparedKernel {
 public:
  OnednnMatmul(const Gemm& gemm, Weights weights, const OnednnContext& onednn)
      : onednn_(onednn),
        declared_(shapes_of(gemm)),
        description_(describe(gemm, weights, onednn)),
        primitive_(description_, arguments_of(gemm, description_.weights_desc()), onednn) {}

  size_t workspace_bytes() const override { return primitive_.scratchpad_bytes(); }

  size_t packed_bytes(size_t index) const override {
    const memory::desc chosen = description_.weights_desc();
    return index == kWeights && chosen != declared_.w ? chosen.get_size() : 0;
  }

  void pack(size_t, const void* declared, void* packed) override {
    onednn_reorder(onednn_, declared_.w, declared, description_.weights_desc(), packed);
  }

  void launch(Stream, std::span<void* const> operands, void* workspace) override {
    primitive_.execute(operands.data(), workspace);
  }

 private:
  static constexpr size_t kWeights = 1;

  const OnednnContext& onednn_;
  MatmulShapes declared_;
  dnnl::matmul::primitive_desc description_;
  OnednnPrimitive primitive_;
};

template <Weights weights>
std::string why_unsupported(const Gemm& gemm, const CpuDevice& device) {
  return why_unsupported_as(gemm, device, weights);
}

template <Weights weights>
std::unique_ptr<PreparedKernel> prepare(const Gemm& gemm, CpuDevice& device) {
  try {
    return std::make_unique<OnednnMatmul>(gemm, weights, device.onednn());
  } catch (const dnnl::error& error) {
    throw Error(fmt::format("oneDNN {} cannot prepare this matmul: {}", onednn_version(), error.what()));
  }
}

}  // namespace

void add_gemm_cpu_kernels(KernelRegistry& registry) {
  registry.add(Kernel<Gemm, CpuDevice>{"onednn_matmul_packed", "onednn", &why_unsupported<Weights::packed>,
                                       &prepare<Weights::packed>});
  registry.add(Kernel<Gemm, CpuDevice>{"onednn_matmul_plain", "onednn", &why_unsupported<Weights::plain>,
                                       &prepare<Weights::plain>});
  registry.add(Kernel<Gemm, CpuDevice>{"perfatlas_dequant_onednn_matmul", "onednn", &why_no_dequant_matmul,
                                       &make_dequant_matmul});
}

}  // namespace perfatlas
