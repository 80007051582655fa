// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/attention/attention_cpu_matmuls.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

using dnnl::memory;

dnnl::matmul::primitive_desc describe(const MatmulSize& size, DType type, const OnednnContext& context) {
  const memory::data_type element = *onednn_type(type);
  const auto packed = type == DType::bf16 ? memory::format_tag::BA16a64b2a : memory::format_tag::BA16a64b;
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (size.accumulate) {
    dnnl::post_ops sum;
    sum.append_sum(1.0F);
    attributes.set_post_ops(sum);
  }
  return {context.engine,
          {{size.rows, size.depth}, element, memory::format_tag::ab},
          {{size.depth, size.columns}, element, packed},
          {{size.rows, size.columns}, memory::data_type::f32, memory::format_tag::ab},
          attributes};
}

}  // namespace

AttentionMatmuls::AttentionMatmuls(DType type, int threads, const OnednnContext& context)
    : type_(type), threads_(threads), context_(context) {}

void AttentionMatmuls::add(const MatmulSize& size) {
  if (primitives_.contains(size)) return;
  const auto fail = [&](std::string_view reason) {
    return Error(fmt::format("oneDNN {} cannot multiply {}x{} by packed {}x{} in {}: {}", onednn_version(),
                             size.rows, size.depth, size.depth, size.columns, name_of(type_), reason));
  };
  try {
    const auto description = describe(size, type_, context_);
    if (const std::string reason = onednn_fallback_reason(description); !reason.empty()) throw fail(reason);
    std::vector<OnednnPrimitive>& copies = primitives_[size];
    for (int thread = 0; thread < threads_; ++thread)
      copies.emplace_back(
          description,
          std::vector<OnednnPrimitive::Argument>{{DNNL_ARG_SRC, description.src_desc()},
                                                 {DNNL_ARG_WEIGHTS, description.weights_desc()},
                                                 {DNNL_ARG_DST, description.dst_desc()}},
          context_);
    scratchpad_bytes_ = std::max(scratchpad_bytes_, copies.front().scratchpad_bytes());
  } catch (const dnnl::error& error) {
    throw fail(error.what());
  }
}

void AttentionMatmuls::run(const MatmulSize& size, int thread, const Pointers& pointers) noexcept {
  void* arguments[] = {const_cast<void*>(pointers.a), const_cast<void*>(pointers.w), pointers.d};
  const dnnl_status_t status =
      primitives_.find(size)->second[size_t(thread)].try_execute(arguments, pointers.scratchpad);
  if (status != dnnl_success) refusal_ = status;
}

}  // namespace perfatlas
