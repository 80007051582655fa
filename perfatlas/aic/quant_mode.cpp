// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/quant_mode.h"

#include <array>

namespace perfatlas::aic {
namespace {

// In the order of QuantMode. nvfp4: 4 bits and an 8-bit scale per 16 elements.
constexpr std::array<QuantProfile, 18> kProfiles{{
    {"bfloat16", 2, 1, MathType::bf16},
    {"half", 2, 0, MathType::none},
    {"int8", 1, 0, MathType::none},
    {"int8_wo", 1, 1, MathType::bf16},
    {"int4_wo", 0.5, 1, MathType::bf16},
    {"fp8", 1, 2, MathType::fp8},
    {"fp8_static", 1, 2, MathType::fp8},
    {"fp8_block", 1, 2, MathType::fp8},
    {"fp8_ootb", 1, 2, MathType::fp8},
    {"sq", 1, 2, MathType::int8},
    {"nvfp4", 9.0 / 16, 4, MathType::fp4},
    {"nvfp4_wo", 9.0 / 16, 1, MathType::bf16},
    {"w4a16_nvfp4", 9.0 / 16, 1, MathType::bf16},
    {"w4afp8", 0.5, 2, MathType::fp8},
    {"w4a16_mxfp4", 0.5, 1, MathType::bf16},
    {"w4a16_mxfp4_cutlass", 0.5, 1, MathType::bf16},
    {"w4a8_mxfp4_mxfp8", 0.5, 2, MathType::fp8},
    {"w4a8_mxfp4_mxfp8_trtllm", 0.5, 2, MathType::fp8},
}};
static_assert(kProfiles.size() == size_t(QuantMode::w4a8_mxfp4_mxfp8_trtllm) + 1);

constexpr QuantMode kGemm[] = {QuantMode::bfloat16, QuantMode::int8_wo,    QuantMode::int4_wo,
                               QuantMode::fp8,      QuantMode::fp8_static, QuantMode::fp8_block,
                               QuantMode::fp8_ootb, QuantMode::sq,         QuantMode::nvfp4,
                               QuantMode::nvfp4_wo, QuantMode::w4a16_nvfp4};
constexpr QuantMode kMoe[] = {QuantMode::bfloat16,
                              QuantMode::fp8,
                              QuantMode::int4_wo,
                              QuantMode::fp8_block,
                              QuantMode::w4afp8,
                              QuantMode::nvfp4,
                              QuantMode::nvfp4_wo,
                              QuantMode::w4a16_mxfp4,
                              QuantMode::w4a8_mxfp4_mxfp8,
                              QuantMode::w4a8_mxfp4_mxfp8_trtllm,
                              QuantMode::w4a16_mxfp4_cutlass,
                              QuantMode::w4a16_nvfp4};
constexpr QuantMode kKv[] = {QuantMode::bfloat16, QuantMode::int8, QuantMode::fp8};
constexpr QuantMode kFmha[] = {QuantMode::bfloat16, QuantMode::fp8, QuantMode::fp8_block};
constexpr QuantMode kEncoder[] = {QuantMode::bfloat16};
constexpr QuantMode kComm[] = {QuantMode::half, QuantMode::int8, QuantMode::fp8};

}  // namespace

const QuantProfile& profile_of(QuantMode mode) { return kProfiles[size_t(mode)]; }

std::span<const QuantMode> modes_of(QuantKind kind) {
  switch (kind) {
    case QuantKind::gemm:
      return kGemm;
    case QuantKind::moe:
      return kMoe;
    case QuantKind::kv:
      return kKv;
    case QuantKind::fmha:
      return kFmha;
    case QuantKind::encoder:
      return kEncoder;
    case QuantKind::comm:
      break;
  }
  return kComm;
}

std::optional<QuantMode> quant_mode(std::string_view name) {
  for (size_t i = 0; i < kProfiles.size(); ++i)
    if (kProfiles[i].name == name) return QuantMode(i);
  return std::nullopt;
}

}  // namespace perfatlas::aic
