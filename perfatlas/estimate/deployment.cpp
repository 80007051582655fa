// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/deployment.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"

namespace perfatlas::estimate {

std::string_view name_of(Framework framework) {
  switch (framework) {
    case Framework::trtllm:
      return "trtllm";
    case Framework::sglang:
      return "sglang";
    case Framework::vllm:
      return "vllm";
  }
  return {};
}

Framework framework_from_name(std::string_view name) {
  for (const Framework framework : {Framework::trtllm, Framework::sglang, Framework::vllm})
    if (name == name_of(framework)) return framework;
  throw UsageError(fmt::format("--backend '{}' is unknown; known: trtllm, sglang and vllm", name));
}

std::string Parallel::label() const {
  const auto width = [](const std::optional<int64_t>& value) {
    return value ? fmt::format("{}", *value) : std::string("None");
  };
  std::string text = fmt::format("tp{}pp{}dp{}etp{}ep{}", tp, pp, dp, width(moe_tp), width(moe_ep));
  if (cp > 1) text += fmt::format("cp{}", cp);
  return text;
}

}  // namespace perfatlas::estimate
