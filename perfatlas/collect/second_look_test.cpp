// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/second_look.h"

#include <gtest/gtest.h>

#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/schema/derive.h"

namespace perfatlas {
namespace {

const OpType& gemm() {
  static const OpType op = make_op_type<Gemm>();
  return op;
}

CaseRecord measured(double latency_ms, int attempts) {
  CaseRecord record;
  record.attempts = attempts;
  record.row = Row{.c = make_case(gemm(), Gemm{}), .measured = {latency_ms}};
  return record;
}

TEST(SecondLook, AnUnsuspiciousRowIsWrittenOnce) {
  SecondLook look;
  const auto decision = look.take(3, measured(1, 1), false, 1);
  EXPECT_FALSE(decision.again);
  ASSERT_EQ(decision.write.size(), 1u);
  EXPECT_TRUE(decision.write[0].final);
  EXPECT_EQ(look.cases(), 0u);
}

TEST(SecondLook, AHiccupIsMeasuredThreeTimesAndTheMiddleIsTheNewestRecord) {
  SecondLook look;
  auto decision = look.take(3, measured(.781, 1), true, 1);
  EXPECT_TRUE(decision.again);
  EXPECT_FALSE(decision.write.at(0).final);  // a kill now leaves the case to be measured again
  decision = look.take(3, measured(.018, 2), false, 1);
  EXPECT_TRUE(decision.again);
  decision = look.take(3, measured(.017, 3), false, 1);
  EXPECT_FALSE(decision.again);
  ASSERT_EQ(decision.write.size(), 2u);
  EXPECT_FALSE(decision.write[0].final);
  EXPECT_TRUE(decision.write[1].final);
  EXPECT_EQ(latency_ms(*decision.write[1].row), .018);
  EXPECT_EQ(decision.write[1].attempts, 3);
  EXPECT_EQ(look.cases(), 1u);
}

TEST(SecondLook, TwoThatAgreeAreEnough) {
  SecondLook look;
  EXPECT_TRUE(look.take(3, measured(1.0, 1), true, 1).again);
  const auto decision = look.take(3, measured(1.05, 2), false, 1);
  EXPECT_FALSE(decision.again);
  EXPECT_EQ(latency_ms(*decision.write.back().row), 1.0);
  EXPECT_TRUE(decision.write.back().final);
}

TEST(SecondLook, NoisyRowsAreRepeatedAsOftenAsAsked) {
  SecondLook look;
  for (int i = 1; i < 4; ++i) EXPECT_TRUE(look.take(3, measured(1 + i / 100.0, i), false, 4).again) << i;
  EXPECT_FALSE(look.take(3, measured(1.04, 4), false, 4).again);
}

}  // namespace
}  // namespace perfatlas
