// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/moe/moe_cpu_matmul.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

using dnnl::memory;

/// Row counts with a plan. Steps that AMX cannot use (its tiles have 16 rows) only serve to save bytes of d.
constexpr std::array<int64_t, 10> kRowCounts = {1, 2, 4, 8, 16, 32, 48, 64, 96, 128};

size_t plan_of(int64_t rows) {
  return size_t(std::lower_bound(kRowCounts.begin(), kRowCounts.end(), rows) - kRowCounts.begin());
}

memory::format_tag packed_tag(DType type) {
  if (type == DType::int8) return memory::format_tag::BA16a64b4a;
  return type == DType::f32 ? memory::format_tag::BA16a64b : memory::format_tag::BA16a64b2a;
}

memory::desc weights_desc(DType type, int64_t depth, int64_t columns, ExpertWeights weights) {
  return {{depth, columns},
          *onednn_type(type),
          weights == ExpertWeights::packed ? packed_tag(type) : memory::format_tag::ba};
}

}  // namespace

ExpertMatmul::ExpertMatmul(const Shape& shape, int threads, const OnednnContext& context)
    : shape_(shape),
      context_(context),
      operand_bytes_(size_t(bytes_of(shape.operand))),
      column_bytes_(weights_desc(shape.operand, shape.depth, 64, shape.weights).get_size() / 64),
      blocks_((shape.columns + shape.block - 1) / shape.block),
      last_columns_(shape.columns - (blocks_ - 1) * shape.block) {
  PERFATLAS_ASSERT(shape.block % 64 == 0);
  try {
    if (blocks_ > 1) plan(shape_.block, threads, whole_);
    plan(last_columns_, threads, last_);
  } catch (const dnnl::error& error) {
    throw Error(fmt::format("oneDNN {} cannot multiply tokens by {}x{} experts in {}: {}", onednn_version(),
                            shape.depth, shape.columns, name_of(shape.operand), error.what()));
  }
}

void ExpertMatmul::plan(int64_t columns, int threads, std::vector<std::vector<OnednnPrimitive>>& planned) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  for (const int64_t rows : kRowCounts) {
    const memory::desc a{{rows, shape_.depth}, *onednn_type(shape_.operand), memory::format_tag::ab};
    const memory::desc d{{rows, columns}, *onednn_type(shape_.result), memory::format_tag::ab};
    const dnnl::matmul::primitive_desc description(
        context_.engine, a, weights_desc(shape_.operand, shape_.depth, columns, shape_.weights), d,
        attributes);
    if (std::string reason = onednn_fallback_reason(description); !reason.empty()) throw Error(reason);
    auto& copies = planned.emplace_back();
    for (int thread = 0; thread < threads; ++thread)
      copies.emplace_back(
          description,
          std::vector<OnednnPrimitive::Argument>{{DNNL_ARG_SRC, description.src_desc()},
                                                 {DNNL_ARG_WEIGHTS, description.weights_desc()},
                                                 {DNNL_ARG_DST, description.dst_desc()}},
          context_);
    scratchpad_bytes_ = std::max(scratchpad_bytes_, copies.front().scratchpad_bytes());
  }
}

memory::desc ExpertMatmul::declared_desc() const {
  return weights_desc(shape_.operand, shape_.depth, shape_.columns, ExpertWeights::plain);
}

memory::desc ExpertMatmul::packed_desc() const {
  return weights_desc(shape_.operand, shape_.depth, shape_.columns, shape_.weights);
}

void ExpertMatmul::pack(const void* declared, void* packed) const {
  onednn_reorder(context_, declared_desc(), declared, packed_desc(), packed);
}

int64_t ExpertMatmul::padded_rows(int64_t rows) {
  const int64_t rest = rows % kMostRows;
  return rows - rest + (rest == 0 ? 0 : kRowCounts[plan_of(rest)]);
}

dnnl_status_t ExpertMatmul::run(int thread, int64_t rows, int64_t block, const void* a, const void* matrix,
                                void* d, void* scratchpad) noexcept {
  // In both layouts 64 columns are one piece of memory.
  const char* const first = static_cast<const char*>(matrix) + size_t(block * shape_.block) * column_bytes_;
  void* const arguments[] = {const_cast<void*>(a), const_cast<char*>(first), d};
  auto& planned = block + 1 < blocks_ ? whole_ : last_;
  return planned[plan_of(rows)][size_t(thread)].try_execute(arguments, scratchpad);
}

}  // namespace perfatlas
