// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/cupti_trace.h"

#include <gmock/gmock.h>

#include <cstdlib>

namespace perfatlas {
namespace {

using testing::HasSubstr;

LibrarySearch fakes() { return {{{PERFATLAS_FAKE_LIBRARIES, false}}}; }

TEST(CuptiTrace, NamesKernelsInTheOrderInWhichTheyBegan) {
  CuptiTrace trace(fakes());
  ASSERT_EQ(trace.reason(), "");
  int ran = 0;
  EXPECT_EQ(kernels_text(trace.record([&] { ++ran; })), "kernels: first (12.30 us), second (1.50 us)");
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(trace.record([] {}).size(), 2u);
}

TEST(CuptiTrace, RunsTheWorkWhereProfilingIsNotAllowed) {
  CuptiTrace trace(fakes());
  setenv("FAKE_CUPTI_FORBIDDEN", "1", 1);
  int ran = 0;
  EXPECT_TRUE(trace.record([&] { ++ran; }).empty());
  unsetenv("FAKE_CUPTI_FORBIDDEN");
  EXPECT_EQ(ran, 1);
  EXPECT_THAT(trace.reason(), HasSubstr("INSUFFICIENT_PRIVILEGES"));
}

TEST(CuptiTrace, LetsErrorsOfTheWorkThrough) {
  CuptiTrace trace(fakes());
  EXPECT_THROW(trace.record([] { throw std::runtime_error("no"); }), std::runtime_error);
  EXPECT_EQ(trace.record([] {}).size(), 2u);
}

TEST(CuptiTrace, AMissingLibraryIsAReason) {
  EXPECT_THAT(CuptiTrace(LibrarySearch{}).reason(), HasSubstr("CUPTI was not found"));
}

}  // namespace
}  // namespace perfatlas
