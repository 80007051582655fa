// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/points/knee_search.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace perfatlas {
namespace {

TEST(KneeSearch, FindsTheEdgeBetween64And65InFourProbes) {
  const std::vector<int64_t> legal{1, 2, 4, 8, 16, 17, 32, 33, 64, 65, 128, 129, 256};
  const auto residual = [](int64_t m) { return m <= 64 ? -1.0 : -0.4; };
  std::vector<CurvePoint> measured{{1, residual(1)}, {256, residual(256)}};
  std::vector<int64_t> probes;
  while (const auto probe = next_knee_probe(measured, legal, 0.10)) {
    probes.push_back(probe->size);
    measured.push_back({probe->size, residual(probe->size)});
    std::sort(measured.begin(), measured.end(),
              [](const CurvePoint& a, const CurvePoint& b) { return a.size < b.size; });
  }
  EXPECT_EQ(probes, (std::vector<int64_t>{16, 64, 128, 65}));
}

TEST(KneeSearch, LeavesSmoothCurvesAlone) {
  const std::vector<CurvePoint> measured{{1, 0.0}, {16, 0.1}, {256, 0.15}};
  const std::vector<int64_t> legal{1, 4, 16, 64, 256};
  EXPECT_FALSE(next_knee_probe(measured, legal, 0.10).has_value());
}

}  // namespace
}  // namespace perfatlas
