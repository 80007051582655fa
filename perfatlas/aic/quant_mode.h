// SPDX-License-Identifier: Apache-2.0
// The quantisation vocabulary of the published tables: one name table for matrix products, experts, attention, KV
// cache and communication.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace perfatlas::aic {

/// Which peak of the system description bounds the arithmetic.
enum class MathType { none, bf16, int8, fp8, fp4 };

/// The modes by their names in tables and model descriptions; which of them an op takes is said at the op.
enum class QuantMode {
  bfloat16,
  half,  // communication only
  int8,  // KV cache and communication
  int8_wo,
  int4_wo,
  fp8,
  fp8_static,
  fp8_block,
  fp8_ootb,
  sq,
  nvfp4,
  nvfp4_wo,
  w4a16_nvfp4,
  w4afp8,
  w4a16_mxfp4,
  w4a16_mxfp4_cutlass,
  w4a8_mxfp4_mxfp8,
  w4a8_mxfp4_mxfp8_trtllm,
};

struct QuantProfile {
  std::string_view name;
  double bytes = 0;       // of a stored element
  double multiplier = 0;  // arithmetic speed in multiples of bfloat16, for comparing modes; 0: no arithmetic
  MathType math = MathType::none;
};

const QuantProfile& profile_of(QuantMode mode);

inline std::string_view name_of(QuantMode mode) { return profile_of(mode).name; }

/// Which modes an argument can be.
enum class QuantKind { gemm, moe, kv, fmha, encoder, comm };
std::span<const QuantMode> modes_of(QuantKind kind);

/// The mode of a written name, or nothing.
std::optional<QuantMode> quant_mode(std::string_view name);

}  // namespace perfatlas::aic
