// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace perfatlas::aic {

/// Which of the measured head counts stands for `wanted`: itself; the only one; the largest below; the smallest. -1
/// when there is none.
inline int64_t on_head_ladder(std::vector<int64_t> measured, int64_t wanted) {
  if (measured.empty()) return -1;
  std::sort(measured.begin(), measured.end());
  const auto above = std::upper_bound(measured.begin(), measured.end(), wanted);
  return above == measured.begin() ? measured.front() : *(above - 1);
}

}  // namespace perfatlas::aic
