// SPDX-License-Identifier: Apache-2.0
// oneDNN batched matmul over heads. Activations stay [token, head, element]: oneDNN takes and leaves them with strides.
#include <fmt/format.h>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/cpu/onednn_primitive.h"
#include "perfatlas/backends/kernel.h"
#include "perfatlas/base/error.h"
#include "perfatlas/ops/mla_bmm/mla_bmm.h"

namespace perfatlas {
namespace {

using dnnl::memory;

enum class Weights { packed, plain };

struct MatmulShapes {
  memory::desc x, w, y;
};

/// [heads, tokens, elements] as it lies in a dense [tokens, heads, elements].
memory::desc rows_of(const MlaBmm& op, int64_t elements, memory::data_type type) {
  return {{op.heads, op.tokens, elements}, type, memory::dims{elements, op.heads * elements, 1}};
}

MatmulShapes shapes_of(const MlaBmm& op) {
  const Operands operands = op.operands();
  const auto type = [&](size_t at) { return *onednn_type(operands[at].dtype); };
  return {rows_of(op, op.depth(), type(MlaBmm::x_at)),
          {{op.heads, op.depth(), op.columns()}, type(MlaBmm::w_at), memory::format_tag::abc},
          rows_of(op, op.columns(), type(MlaBmm::y_at))};
}

dnnl::matmul::primitive_desc describe(const MlaBmm& op, Weights weights, const OnednnContext& onednn) {
  MatmulShapes shapes = shapes_of(op);
  if (weights == Weights::packed)
    shapes.w = {shapes.w.get_dims(), shapes.w.get_data_type(), memory::format_tag::any};
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return {onednn.engine, shapes.x, shapes.w, shapes.y, attributes};
}

template <Weights weights>
std::string why_unsupported(const MlaBmm& op, const CpuDevice& device) {
  if (op.dtype != Quant::f32 && op.dtype != Quant::bf16 && op.dtype != Quant::f16)
    return fmt::format("no kernel for {}: oneDNN {} multiplies float32, float16 and bfloat16 here",
                       name_of(op.dtype), onednn_version());
  try {
    return onednn_fallback_reason(describe(op, weights, device.onednn()));
  } catch (const dnnl::error& error) {
    return fmt::format("oneDNN {} has no {} batched matmul for this CPU ({})", onednn_version(),
                       name_of(op.dtype), error.what());
  }
}

class BatchedMatmul final : public PreparedKernel {
 public:
  BatchedMatmul(const MlaBmm& op, Weights weights, const OnednnContext& onednn)
      : onednn_(onednn),
        declared_(shapes_of(op)),
        description_(describe(op, weights, onednn)),
        primitive_(description_,
                   {{DNNL_ARG_SRC, declared_.x},
                    {DNNL_ARG_WEIGHTS, description_.weights_desc()},
                    {DNNL_ARG_DST, declared_.y}},
                   onednn) {}

  size_t workspace_bytes() const override { return primitive_.scratchpad_bytes(); }

  size_t packed_bytes(size_t index) const override {
    const memory::desc chosen = description_.weights_desc();
    return index == MlaBmm::w_at && chosen != declared_.w ? chosen.get_size() : 0;
  }

  void pack(size_t, const void* declared, void* packed) override {
    onednn_reorder(onednn_, declared_.w, declared, description_.weights_desc(), packed);
  }

  void launch(Stream, std::span<void* const> operands, void* workspace) override {
    primitive_.execute(operands.data(), workspace);
  }

 private:
  const OnednnContext& onednn_;
  MatmulShapes declared_;
  dnnl::matmul::primitive_desc description_;
  OnednnPrimitive primitive_;
};

template <Weights weights>
std::unique_ptr<PreparedKernel> prepare(const MlaBmm& op, CpuDevice& device) {
  try {
    return std::make_unique<BatchedMatmul>(op, weights, device.onednn());
  } catch (const dnnl::error& error) {
    throw Error(fmt::format("oneDNN {} cannot prepare this matmul: {}", onednn_version(), error.what()));
  }
}

}  // namespace

void add_mla_bmm_cpu_kernels(KernelRegistry& registry) {
  using Bmm = Kernel<MlaBmm, CpuDevice>;
  registry.add(Bmm{"onednn_batched_matmul_packed", "onednn", &why_unsupported<Weights::packed>,
                   &prepare<Weights::packed>});
  registry.add(Bmm{"onednn_batched_matmul_plain", "onednn", &why_unsupported<Weights::plain>,
                   &prepare<Weights::plain>});
}

}  // namespace perfatlas
