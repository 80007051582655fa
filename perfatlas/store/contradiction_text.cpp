// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/store/contradiction_text.h"

#include <fmt/format.h>

namespace perfatlas {

std::string contradiction_text(std::string_view table, const Case& of, const TwoLatencies& latencies,
                               size_t more_cases) {
  std::string text = fmt::format("{}: {} is there more than once: {:.6g} ms counts, {:.6g} ms does not",
                                 table, case_text(of), latencies.counts_ms, latencies.other_ms);
  if (more_cases > 0)
    text += fmt::format("; so {} {} more case{}", more_cases == 1 ? "is" : "are", more_cases,
                        more_cases == 1 ? "" : "s");
  return text;
}

}  // namespace perfatlas
