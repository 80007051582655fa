// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/progress_line.h"

#include <gtest/gtest.h>

namespace perfatlas {
namespace {

TEST(ProgressText, SaysDoneFailuresRemainingTimeAndCase) {
  const Progress progress{
      .done = 132, .total = 1100, .failures = 2, .eta_s = 41.2, .current_case = "gemm m=16"};
  EXPECT_EQ(progress_text(progress, 100), "[132/1100 12%] 2 failed, ETA 41.2 s, gemm m=16");
}

TEST(ProgressText, NeverLongerThanTheTerminal) {
  const Progress progress{.done = 1, .total = 2, .current_case = std::string(300, 'x')};
  EXPECT_EQ(progress_text(progress, 60).size(), 60u);
}

TEST(ProgressText, AnUnknownEndIsSaid) {
  EXPECT_EQ(progress_text({.total = 10}, 100), "[0/10 0%] 0 failed, ETA unknown");
}

}  // namespace
}  // namespace perfatlas
