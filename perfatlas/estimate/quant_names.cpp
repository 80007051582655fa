// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <span>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/estimate/quantisation.h"

namespace perfatlas::estimate {
namespace {

using Mode = aic::QuantMode;

constexpr Mode kGemm[] = {Mode::bfloat16,   Mode::int8_wo,   Mode::int4_wo,    Mode::fp8,
                          Mode::fp8_static, Mode::fp8_block, Mode::fp8_ootb,   Mode::sq,
                          Mode::nvfp4,      Mode::nvfp4_wo,  Mode::w4a16_nvfp4};
constexpr Mode kMoe[] = {Mode::bfloat16,
                         Mode::fp8,
                         Mode::int4_wo,
                         Mode::fp8_block,
                         Mode::w4afp8,
                         Mode::nvfp4,
                         Mode::nvfp4_wo,
                         Mode::w4a16_mxfp4,
                         Mode::w4a8_mxfp4_mxfp8,
                         Mode::w4a8_mxfp4_mxfp8_trtllm,
                         Mode::w4a16_mxfp4_cutlass,
                         Mode::w4a16_nvfp4};
constexpr Mode kKv[] = {Mode::bfloat16, Mode::int8, Mode::fp8};
constexpr Mode kFmha[] = {Mode::bfloat16, Mode::float16, Mode::fp8, Mode::fp8_block};
constexpr Mode kComm[] = {Mode::half, Mode::int8, Mode::fp8};

Mode one_of(std::string_view flag, std::string_view name, std::span<const Mode> known) {
  std::vector<std::string_view> names;
  for (const Mode mode : known) {
    if (name == name_of(mode)) return mode;
    names.push_back(name_of(mode));
  }
  throw UsageError(fmt::format("{} '{}' is unknown; known: {}", flag, name, join_words(names)));
}

}  // namespace

Mode gemm_mode_from_name(std::string_view name) { return one_of("--gemm-quant-mode", name, kGemm); }
Mode moe_mode_from_name(std::string_view name) { return one_of("--moe-quant-mode", name, kMoe); }
Mode kv_mode_from_name(std::string_view name) { return one_of("--kvcache-quant-mode", name, kKv); }
Mode fmha_mode_from_name(std::string_view name) { return one_of("--fmha-quant-mode", name, kFmha); }
Mode comm_mode_from_name(std::string_view name) { return one_of("--comm-quant-mode", name, kComm); }

}  // namespace perfatlas::estimate
