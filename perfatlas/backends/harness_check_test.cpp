// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/harness_check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "perfatlas/backends/harness_fake.h"

namespace perfatlas {
namespace {

std::vector<HarnessCheck> checks_of(FakeStepKernel::Launch fault, FakeDevice device = {}) {
  const OpType op = make_op_type<FakeStep>();
  return check_kernel(make_case(op, FakeStep{100}), fake_step_kernel(std::move(fault)), 1, device);
}

/// Names of the checks that failed.
std::vector<std::string> failures(FakeStepKernel::Launch fault) {
  std::vector<std::string> names;
  for (const HarnessCheck& check : checks_of(std::move(fault)))
    if (check.verdict == Verdict::failed) names.push_back(check.name);
  return names;
}

bool fails(const std::string& name, FakeStepKernel::Launch fault) {
  const std::vector<std::string> names = failures(std::move(fault));
  return std::count(names.begin(), names.end(), name) == 1;
}

TEST(Check, AKernelThatKeepsItsContractPassesEverything) {
  for (const HarnessCheck& check : checks_of({})) {
    if (check.name == "graph capture" || check.name == "page table is followed" ||
        check.name == "whole prefix is read")  // neither graphs nor pages here
      EXPECT_EQ(check.verdict, Verdict::not_applicable);
    else
      EXPECT_EQ(check.verdict, Verdict::passed) << check.name << ": " << check.detail;
  }
}

TEST(Check, AnElementThatIsNeverWrittenIsFound) {
  // The step writes everything, so the fault puts back what stood there: the pattern of either run.
  int run = 0;
  const OpType op = make_op_type<FakeStep>();
  FakeDevice device;
  std::vector<std::string> names;
  const auto fault = [&](std::span<float* const> p, size_t) {
    std::memset(&p[3][7], run++ == 0 ? 0xa5 : 0x5a, 4);
  };
  for (const HarnessCheck& check :
       check_kernel(make_case(op, FakeStep{100}), fake_step_kernel(fault), 1, device))
    if (check.verdict == Verdict::failed) names.push_back(check.name);
  EXPECT_NE(std::find(names.begin(), names.end(), "output shape and element type"), names.end());
}

TEST(Check, AWriteBeyondTheEndIsFound) {
  EXPECT_TRUE(fails("output shape and element type", [](auto p, size_t n) { p[3][n] = 1; }));
}

TEST(Check, NotANumberIsFound) {
  EXPECT_TRUE(
      fails("no NaN or infinity", [](auto p, size_t) { p[3][5] = std::numeric_limits<float>::quiet_NaN(); }));
}

TEST(Check, AResultOfZerosIsFound) {
  EXPECT_TRUE(fails("not all zero", [](auto p, size_t n) { std::fill_n(p[3], n, 0.f); }));
}

TEST(Check, ADifferentSecondResultIsFound) {
  auto count = std::make_shared<int>(0);
  EXPECT_TRUE(
      fails("same inputs, same result", [count](auto p, size_t) { p[3][0] += 1e-3f * float((*count)++); }));
}

TEST(Check, AModifiedInputIsFound) {
  EXPECT_TRUE(fails("inputs are not modified", [](auto p, size_t) { p[1][3] += 1; }));
}

TEST(Check, AWrongResultIsFound) {
  EXPECT_EQ(failures([](auto p, size_t) { p[3][5] += 0.1f; }),
            std::vector<std::string>{"against the reference"});
}

TEST(Check, AWrongKvCacheIsFound) {
  EXPECT_EQ(failures([](auto p, size_t n) { p[2][n + 5] += 0.1f; }),
            std::vector<std::string>{"written KV cache"});
}

TEST(Check, ACacheEntryThatShouldHaveStayedIsFound) {
  EXPECT_EQ(failures([](auto p, size_t) { p[2][0] += 1; }), std::vector<std::string>{"written KV cache"});
}

TEST(Check, ACacheThatIsNotReadIsFound) {
  EXPECT_TRUE(fails("KV cache is read", [](auto p, size_t n) {
    for (size_t i = 0; i < n; ++i) p[3][i] = p[0][i] * p[1][i];
  }));
}

TEST(Check, AnEagerFallbackIsNoGraph) {
  FakeDevice device;
  device.mode = LaunchMode::eager;
  const auto checks = checks_of({}, device);
  EXPECT_EQ(checks.back().name, "graph capture");
  EXPECT_EQ(checks.back().verdict, Verdict::failed);
}

TEST(Check, TheToleranceFollowsTheCoarsestType) {
  EXPECT_LT(reference_tolerance({{.dtype = DType::f32}}), reference_tolerance({{.dtype = DType::f16}}));
  EXPECT_EQ(reference_tolerance({{.dtype = DType::f32}, {.dtype = DType::bf16}}), 1e-2);
  EXPECT_EQ(reference_tolerance({{.dtype = DType::int8}, {.dtype = DType::bf16}}), 1e-2);
}

}  // namespace
}  // namespace perfatlas
