// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/ggml/ggml_types.h"

#include <utility>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

constexpr std::pair<DType, ggml_type> kTypes[] = {
    {DType::f32, GGML_TYPE_F32},   {DType::f16, GGML_TYPE_F16},   {DType::bf16, GGML_TYPE_BF16},
    {DType::int32, GGML_TYPE_I32}, {DType::int8, GGML_TYPE_I8},   {DType::q8_0, GGML_TYPE_Q8_0},
    {DType::q4_0, GGML_TYPE_Q4_0}, {DType::q4_k, GGML_TYPE_Q4_K}, {DType::q6_k, GGML_TYPE_Q6_K},
};

}  // namespace

std::optional<ggml_type> ggml_type_of(DType dtype) {
  for (const auto& [ours, theirs] : kTypes)
    if (ours == dtype) return theirs;
  return std::nullopt;
}

DType dtype_of(ggml_type type) {
  for (const auto& [ours, theirs] : kTypes)
    if (theirs == type) return ours;
  PERFATLAS_ASSERT(false);
  return DType::f32;
}

std::optional<ggml_type> ggml_weight_type(Quant quant) {
  switch (quant) {
    case Quant::f32:
    case Quant::f16:
    case Quant::bf16:
    case Quant::q8_0:
    case Quant::q4_0:
    case Quant::q4_k:
    case Quant::q6_k:
      return ggml_type_of(traits_of(quant).weight);
    default:
      return std::nullopt;
  }
}

}  // namespace perfatlas
