// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mamba2/small_matmuls_cpu.h"

#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

using dnnl::memory;

dnnl::matmul::primitive_desc describe(const SmallMatmul& m, const OnednnContext& context) {
  using Tag = memory::format_tag;
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (m.accumulate) {
    dnnl::post_ops sum;
    sum.append_sum(1.0F);
    attributes.set_post_ops(sum);
  }
  return {context.engine,
          {{m.rows, m.depth}, memory::data_type::bf16, m.a_transposed ? Tag::ba : Tag::ab},
          {{m.depth, m.columns}, memory::data_type::bf16, m.b_transposed ? Tag::ba : Tag::ab},
          {{m.rows, m.columns}, memory::data_type::f32, Tag::ab},
          attributes};
}

}  // namespace

int SmallMatmuls::add(const SmallMatmul& matmul) {
  const auto found = std::find(known_.begin(), known_.end(), matmul);
  if (found != known_.end()) return int(found - known_.begin());
  const auto fail = [&](std::string_view reason) {
    return Error(fmt::format("oneDNN {} cannot multiply {}x{} by {}x{} in bfloat16: {}", onednn_version(),
                             matmul.rows, matmul.depth, matmul.depth, matmul.columns, reason));
  };
  try {
    const auto description = describe(matmul, context_);
    if (const std::string reason = onednn_fallback_reason(description); !reason.empty()) throw fail(reason);
    std::vector<OnednnPrimitive> copies;
    for (int thread = 0; thread < threads_; ++thread)
      copies.emplace_back(
          description,
          std::vector<OnednnPrimitive::Argument>{{DNNL_ARG_SRC, description.src_desc()},
                                                 {DNNL_ARG_WEIGHTS, description.weights_desc()},
                                                 {DNNL_ARG_DST, description.dst_desc()}},
          context_);
    scratchpad_bytes_ = std::max(scratchpad_bytes_, copies.front().scratchpad_bytes());
    known_.push_back(matmul);
    primitives_.push_back(std::move(copies));
  } catch (const dnnl::error& error) {
    throw fail(error.what());
  }
  return int(known_.size()) - 1;
}

void SmallMatmuls::run(int number, int thread, const Pointers& pointers) {
  void* arguments[] = {const_cast<void*>(pointers.a), const_cast<void*>(pointers.b), pointers.d};
  primitives_[size_t(number)][size_t(thread)].execute(arguments, pointers.scratchpad);
}

}  // namespace perfatlas
