// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/estimate/quantisation.h"

namespace perfatlas::estimate {
namespace {

using Mode = aic::QuantMode;

Mode one_of(std::string_view flag, std::string_view name, aic::QuantKind kind) {
  std::vector<std::string_view> names;
  for (const Mode mode : modes_of(kind)) {
    if (name == name_of(mode)) return mode;
    names.push_back(name_of(mode));
  }
  throw UsageError(fmt::format("{} '{}' is unknown; known: {}", flag, name, join_words(names)));
}

}  // namespace

Mode gemm_mode_from_name(std::string_view name) {
  return one_of("--gemm-quant-mode", name, aic::QuantKind::gemm);
}
Mode moe_mode_from_name(std::string_view name) {
  return one_of("--moe-quant-mode", name, aic::QuantKind::moe);
}
Mode kv_mode_from_name(std::string_view name) {
  return one_of("--kvcache-quant-mode", name, aic::QuantKind::kv);
}
Mode fmha_mode_from_name(std::string_view name) {
  return one_of("--fmha-quant-mode", name, aic::QuantKind::fmha);
}
Mode comm_mode_from_name(std::string_view name) {
  return one_of("--comm-quant-mode", name, aic::QuantKind::comm);
}

}  // namespace perfatlas::estimate
