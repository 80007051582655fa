// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mla_module/mla_module_case.h"

#include <cmath>

namespace perfatlas {
namespace {

constexpr double kTheta = 10000;  // content of the table only; costs nothing to be another one

bool is_activation(DType type) { return type == DType::f32 || type == DType::f16 || type == DType::bf16; }

void fill_cos_sin(const MlaModuleCase& c, std::vector<float>& table) {
  const int64_t rope = c.geometry().rope, pairs = rope / 2;
  for (int64_t row = 0; row < c.isl; ++row)
    for (int64_t pair = 0; pair < pairs; ++pair) {
      const double angle = double(c.step + row) * std::pow(kTheta, -2.0 * double(pair) / double(rope));
      table[size_t(row * rope + pair)] = float(std::cos(angle));
      table[size_t(row * rope + pairs + pair)] = float(std::sin(angle));
    }
}

}  // namespace

std::string_view why_invalid_mla_module(const MlaModuleCase& c) {
  if (find_mla_geometry(c.architecture) == nullptr)
    return "architecture is unknown: see ops/mla_module/mla_geometry.cpp for those that are";
  if (c.batch < 1 || c.isl < 1 || c.heads < 1 || c.tp < 1) return "batch, isl, heads and tp must be positive";
  if (c.step < 0) return "step must not be negative";
  if (!is_activation(c.dtype) && c.dtype != DType::fp8_e4m3)
    return "mla_dtype must be float32, float16, bfloat16 or fp8";
  if (!is_activation(c.kv_dtype) && c.kv_dtype != DType::fp8_e4m3)
    return "kv_cache_dtype must be float32, float16, bfloat16 or fp8";
  return {};
}

Work mla_module_work(const MlaModuleCase& c, double linear_weights) {
  const QuantTraits quant = traits_of(c.gemm);
  const double rows = double(c.tokens()) * double(c.geometry().hidden) * bytes_of(c.activation());
  return {
      .flops = 2 * double(c.tokens()) * linear_weights,
      .weight_bytes_read = linear_weights * quant.weight_bytes,
      .activation_bytes_read = rows + double(c.pages()) * bytes_of(DType::int32),
      .bytes_written = rows,
      .math = bits_of(quant.math) < bits_of(c.dtype) ? quant.math : c.dtype,
  };
}

Operand mla_input(const MlaModuleCase& c) {
  return {.name = "x",
          .role = OperandRole::activation,
          .dtype = c.activation(),
          .shape = {c.tokens(), c.geometry().hidden}};
}

Operand mla_weight(const MlaModuleCase& c, const char* name, int64_t n, int64_t k) {
  return {.name = name,
          .role = OperandRole::weight,
          .dtype = traits_of(c.gemm).weight,
          .shape = {n, k},
          .fill = Fill::small};
}

Operand mla_norm_weight(const MlaModuleCase& c, const char* name, int64_t width) {
  return {.name = name,
          .role = OperandRole::weight,
          .dtype = c.activation(),
          .shape = {width},
          .fill = Fill::positive};
}

Operand mla_cos_sin(const MlaModuleCase& c) {
  return {.name = "cos_sin",
          .role = OperandRole::activation,
          .dtype = DType::f32,
          .shape = {c.isl, c.geometry().rope},
          .fill = Fill::custom,
          .content = [c](uint64_t, HostOperand& content) { fill_cos_sin(c, content.values); }};
}

Operand mla_position(const MlaModuleCase& c) {
  return {.name = "position",
          .role = OperandRole::activation,
          .dtype = DType::int32,
          .shape = {c.tokens()},
          .fill = Fill::custom,
          .content = [isl = c.isl](uint64_t, HostOperand& content) {
            for (size_t token = 0; token < content.indices.size(); ++token)
              content.indices[token] = int32_t(int64_t(token) % isl);
          }};
}

Operand mla_cache(const MlaModuleCase& c) {
  return {.name = "cache",
          .role = OperandRole::kv,
          .dtype = c.kv_dtype,
          .shape = {c.pages(), kPageTokens, c.geometry().latent()},
          .written = true};
}

Operand mla_page_table(const MlaModuleCase& c) {
  return {.name = "page_table",
          .role = OperandRole::activation,
          .dtype = DType::int32,
          .shape = {c.batch, c.pages_per_sequence()},
          .fill = Fill::page_table};
}

Operand mla_output(const MlaModuleCase& c) {
  return {.name = "out",
          .role = OperandRole::output,
          .dtype = c.activation(),
          .shape = {c.tokens(), c.geometry().hidden},
          .fill = Fill::none,
          .written = true};
}

}  // namespace perfatlas
