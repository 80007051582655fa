// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/gemm/gemm_grid.h"

namespace perfatlas {

std::vector<int64_t> aic_gemm_tokens() {
  std::vector<int64_t> tokens;
  for (int64_t m = 1; m <= 15; ++m) tokens.push_back(m);
  const auto with_successors = [&](int64_t first, int64_t last, int64_t step) {
    for (int64_t m = first; m <= last; m += step) tokens.insert(tokens.end(), {m, m + 1});
  };
  with_successors(16, 112, 16);
  with_successors(128, 224, 32);
  with_successors(256, 4352, 256);
  tokens.insert(tokens.end(), {8192, 16384, 32768});
  return tokens;
}

}  // namespace perfatlas
