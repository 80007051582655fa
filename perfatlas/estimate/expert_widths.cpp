// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "perfatlas/base/error.h"
#include "perfatlas/estimate/deployment.h"

namespace perfatlas::estimate {

Parallel with_expert_widths(Parallel p) {
  for (const auto& [flag, width] : {std::pair{"--tp", p.tp},
                                    {"--dp", p.dp},
                                    {"--cp", p.cp},
                                    {"--etp", p.expert_tp()},
                                    {"--ep", p.expert_ep()}})
    if (width < 1) throw UsageError(fmt::format("{} is {}, it must be at least 1", flag, width));
  const int64_t width = p.attention_width();
  if (!p.moe_tp && !p.moe_ep)
    throw UsageError(fmt::format(
        "a model with experts needs --etp or --ep: their product is tp {} times dp {}", p.tp, p.dp));
  const auto complete = [&](const char* flag, int64_t known, std::optional<int64_t>& missing) {
    if (width % known != 0)
      throw UsageError(
          fmt::format("{} {} does not divide tp {} times dp {} times cp {}", flag, known, p.tp, p.dp, p.cp));
    missing = width / known;
  };
  if (!p.moe_tp)
    complete("--ep", *p.moe_ep, p.moe_tp);
  else if (!p.moe_ep)
    complete("--etp", *p.moe_tp, p.moe_ep);
  return p;
}

}  // namespace perfatlas::estimate
