// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/plan_stretches.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace perfatlas {
namespace {

TEST(PlanStretches, HoldAnyOrderOfIndices) {
  EXPECT_TRUE(rc::check([](const std::vector<uint16_t>& drawn, const std::vector<uint8_t>& steps) {
    std::vector<uint32_t> indices;
    for (const uint16_t begin : drawn)
      for (uint32_t i = begin; i < begin + uint32_t(begin % 4) + 1; ++i) indices.push_back(i);
    const PlanStretches stretches(indices);
    std::vector<uint32_t> visited;
    stretches.for_each([&](uint32_t i) { visited.push_back(i); });
    RC_ASSERT(visited == indices);
    RC_ASSERT(stretches.size() == indices.size());

    StretchCursor cursor(stretches);
    size_t at = 0;
    for (const uint8_t step : steps) {
      RC_ASSERT(cursor.left() == indices.size() - at);
      if (cursor.left() > 0) RC_ASSERT(cursor.index() == indices[at]);
      const size_t by = std::min<size_t>(step % 8, cursor.left());
      cursor.advance(by);
      at += by;
    }
  }));
}

TEST(PlanStretches, OneStretchIsOneEntryHoweverLong) {
  PlanStretches stretches;
  for (uint32_t i = 5; i < 100'000; ++i) stretches.push_back(i);
  EXPECT_EQ(stretches.stretches(), (std::vector<PlanStretches::Stretch>{{5, 100'000}}));
}

}  // namespace
}  // namespace perfatlas
