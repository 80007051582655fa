// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "perfatlas/schema/op_type.h"

namespace perfatlas {

/// Two rows of a table that measured the same and say different latencies.
struct TwoLatencies {
  double counts_ms = 0;  // of the one that answers
  double other_ms = 0;
};

/// "TABLE: gemm m=8 n=64 k=64 is there more than once: 0.5 ms counts, 0.75 ms does not; so are 3 more cases".
std::string contradiction_text(std::string_view table, const Case& of, const TwoLatencies& latencies,
                               size_t more_cases = 0);

}  // namespace perfatlas
