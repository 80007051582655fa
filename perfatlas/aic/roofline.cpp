// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/roofline.h"

#include <fmt/format.h>

namespace perfatlas::aic {
namespace {

std::string_view key_of(MathType math) {
  switch (math) {
    case MathType::none:
      return "";
    case MathType::bf16:
      return "bfloat16_tc_flops";
    case MathType::int8:
      return "int8_tc_flops";
    case MathType::fp8:
      return "fp8_tc_flops";
    case MathType::fp4:
      return "fp4_tc_flops";
  }
  return "";
}

DType dtype_of(MathType math) {
  switch (math) {
    case MathType::int8:
      return DType::int8;
    case MathType::fp8:
      return DType::fp8_e4m3;
    case MathType::fp4:
      return DType::fp4;
    default:
      return DType::bf16;
  }
}

constexpr int kFirstFp8Decode = 89;

}  // namespace

std::optional<double> peak_flops(const AicSystem& system, MathType math) {
  if (math == MathType::none || !system.has_flops(dtype_of(math))) return std::nullopt;
  return system.flops(dtype_of(math));
}

std::string why_no_peak(const AicSystem& system, MathType math) {
  return fmt::format(
      "{} has no {}: the GPU cannot multiply in this type, or its description lacks the figure; "
      "use another quantisation",
      system.path, key_of(math));
}

MathType decode_math(const AicSystem& system, QuantMode kv_quant) {
  return kv_quant == QuantMode::fp8 && system.sm_version.value_or(0) >= kFirstFp8Decode ? MathType::fp8
                                                                                        : MathType::bf16;
}

double memory_op_ms(const AicSystem& system, double bytes) {
  return (bytes / (system.mem_bw * system.mem_bw_scaling.value_or(1)) +
          system.mem_constant_latency_s.value_or(0)) *
         1e3;
}

}  // namespace perfatlas::aic
