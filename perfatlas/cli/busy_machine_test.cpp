// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/busy_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace perfatlas {
namespace {

using testing::HasSubstr;

TEST(BusyMachine, ProcessorTimeIsThatOfTheKernelsFirstLine) {
  const ProcessorTime time = processor_time_of("cpu  100 20 30 800 50 1 2 3 0 0", 100);
  EXPECT_DOUBLE_EQ(time.busy, 1.56);
  EXPECT_DOUBLE_EQ(time.all, 10.06);
  EXPECT_EQ(processor_time_of("intr 5 6 7", 100).all, 0);
  EXPECT_EQ(processor_time_of("", 100).all, 0);
}

TEST(BusyMachine, OwnTimeIsNotThatOfOthers) {
  EXPECT_DOUBLE_EQ(others_share({6, 10}, 5), .1);
  EXPECT_EQ(others_share({6, 10}, 7), 0);     // clocks tick apart
  EXPECT_EQ(others_share({0, 0}, 0), 0);      // the system does not say
  EXPECT_EQ(others_share({.02, .04}, 0), 0);  // two ticks of four: chance
}

TEST(BusyMachine, OnlyABusyMachineIsWorthALine) {
  EXPECT_FALSE(busy_before(.05) || busy_meanwhile(kBusyMachine));
  EXPECT_THAT(busy_before(.43).value(), HasSubstr("use 43 % of the processors"));
  EXPECT_THAT(busy_meanwhile(.43).value(), HasSubstr("used 43 % of the processors meanwhile"));
}

TEST(BusyMachine, AShareIsFoundOnThisMachine) {
  const OtherPrograms others;
  EXPECT_GE(others.share(), 0);
  EXPECT_LE(busy_share(.01), 1);
}

}  // namespace
}  // namespace perfatlas
