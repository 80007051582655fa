// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/moe/moe_cpu_matmul.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

using dnnl::memory;

/// Row counts with a plan. One row is left out: oneDNN then takes another implementation, which is no faster. Few rows
/// in between, because planning takes a millisecond each and AMX takes 16 rows in the time of one.
constexpr std::array<int64_t, 7> kRowCounts = {2, 8, 16, 32, 64, 96, 128};

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

/// Packed columns come in blocks of 64, and oneDNN is slower, or refuses, where it has to stop inside one.
int64_t planned_columns(const ExpertMatmul::Shape& shape, int64_t columns) {
  return shape.weights == ExpertWeights::packed ? (columns + 63) / 64 * 64 : columns;
}

dnnl::matmul::primitive_desc describe(const ExpertMatmul::Shape& shape, int64_t rows, int64_t columns,
                                      const OnednnContext& context) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return {context.engine,
          {{rows, shape.depth}, *onednn_type(shape.operand), memory::format_tag::ab},
          weights_desc(shape.operand, shape.depth, columns, shape.weights),
          {{rows, columns}, *onednn_type(shape.result), memory::format_tag::ab},
          attributes};
}

std::string refusal(const ExpertMatmul::Shape& shape, const dnnl::error& error) {
  return fmt::format("oneDNN {} cannot multiply tokens by {}x{} experts in {}: {}", onednn_version(),
                     shape.depth, shape.columns, name_of(shape.operand), error.what());
}

}  // namespace

ExpertMatmul::ExpertMatmul(const Shape& shape, int threads, const OnednnContext& context)
    : shape_(shape),
      context_(context),
      operand_bytes_(size_t(bytes_of(shape.operand))),
      column_bytes_(weights_desc(shape.operand, shape.depth, 64, shape.weights).get_size() / 64),
      blocks_((shape.columns + shape.block - 1) / shape.block),
      last_columns_(shape.columns - (blocks_ - 1) * shape.block),
      last_stride_(planned_columns(shape, last_columns_)) {
  PERFATLAS_ASSERT(shape.block % 64 == 0);
  try {
    if (blocks_ > 1) plan(shape_.block, threads, whole_);
    plan(last_stride_, threads, last_);
  } catch (const dnnl::error& error) {
    throw Error(refusal(shape, error));
  }
}

void ExpertMatmul::plan(int64_t columns, int threads, std::vector<std::vector<OnednnPrimitive>>& planned) {
  const int64_t most = padded_rows(std::min(shape_.most_rows, kMostRows), shape_.operand);
  for (const int64_t rows : kRowCounts) {
    if (rows > most) break;
    if (rows < least_rows(shape_.operand)) {
      planned.emplace_back();
      continue;
    }
    const auto description = describe(shape_, rows, columns, context_);
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

std::string ExpertMatmul::why_not(const Shape& shape, const OnednnContext& context) {
  const int64_t most = padded_rows(std::min(shape.most_rows, kMostRows), shape.operand);
  const int64_t rest = (shape.columns - 1) % shape.block + 1;
  try {
    for (const int64_t columns : {std::min(shape.block, shape.columns), rest})
      for (const int64_t rows : {padded_rows(1, shape.operand), most})
        if (std::string reason =
                onednn_fallback_reason(describe(shape, rows, planned_columns(shape, columns), context));
            !reason.empty())
          return reason;
    return {};
  } catch (const dnnl::error& error) {
    return refusal(shape, error);
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

int64_t ExpertMatmul::least_rows(DType operand) { return operand == DType::int8 ? 8 : kRowCounts.front(); }

int64_t ExpertMatmul::padded_rows(int64_t rows, DType operand) {
  const int64_t rest = rows % kMostRows;
  if (rest == 0) return rows;
  return rows - rest + kRowCounts[plan_of(std::max(rest, least_rows(operand)))];
}

dnnl_status_t ExpertMatmul::run(int thread, int64_t rows, int64_t block, const void* a, const void* matrix,
                                void* d, void* scratchpad) noexcept {
  // In both layouts 64 columns are one piece of memory.
  const char* const first = static_cast<const char*>(matrix) + size_t(block * shape_.block) * column_bytes_;
  void* const arguments[] = {const_cast<void*>(a), const_cast<char*>(first), d};
  auto& planned = block + 1 < blocks_ ? whole_ : last_;
  return planned[plan_of(std::max(rows, least_rows(shape_.operand)))][size_t(thread)].try_execute(arguments,
                                                                                                  scratchpad);
}

}  // namespace perfatlas
