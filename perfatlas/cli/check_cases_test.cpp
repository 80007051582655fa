// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/check_cases.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/ops/mamba2/mamba2.h"

namespace perfatlas {
namespace {

class CheckCasesTest : public testing::Test {
 protected:
  CheckCasesTest() {
    shapes_.add(make_case(ops_.get("gemm"), Gemm{.m = kPrototypeTokens, .n = 4096, .k = 1024}));
  }
  std::vector<Gemm> gemms(const CheckLimits& limits) const {
    std::vector<Gemm> all;
    for (const Case& c : check_cases(ops_.get("gemm"), shapes_, limits))
      all.push_back(decode<Gemm>(c.values));
    return all;
  }
  OpRegistry ops_ = all_ops();
  ModelShapes shapes_;
};

TEST_F(CheckCasesTest, EveryTypeIsTried) {
  std::set<Quant> types;
  for (const Gemm& gemm : gemms({.memory_bytes = 1e10})) types.insert(gemm.dtype);
  EXPECT_EQ(types.size(), kEnumNames<Quant>.size());
}

TEST_F(CheckCasesTest, SmallestOddAndModelShapesAreThere) {
  const std::vector<Gemm> all = gemms({.memory_bytes = 1e10, .reference_flops = 1e9});
  const auto has = [&](const Gemm& gemm) { return std::find(all.begin(), all.end(), gemm) != all.end(); };
  EXPECT_TRUE(has({Quant::bf16, 1, 1, 1}));
  EXPECT_TRUE(has({Quant::bf16, 1, 4096, 1024}));
  EXPECT_TRUE(has({Quant::bf16, 96, 4096, 1024}));  // 128 tokens would be over the limit
}

TEST_F(CheckCasesTest, EverySubKernelIsTriedSmallOddAndAsModelsUseIt) {
  const OpType& op = ops_.get("mamba2");
  Mamba2 update{.kernel = Symbol(Mamba2::kStateUpdate), .phase = LinearPhase::generation};
  update.heads = 16;
  shapes_.add(make_case(op, update));
  std::map<Symbol, std::set<int64_t>, decltype([](Symbol a, Symbol b) { return a.text() < b.text(); })>
      batches;
  bool of_model = false;
  for (const Case& c : check_cases(op, shapes_, {.memory_bytes = 1e10})) {
    const auto mamba2 = decode<Mamba2>(c.values);
    EXPECT_EQ(mamba2.why_invalid(), "");
    if (mamba2.heads == 128) batches[mamba2.kernel].insert(mamba2.batch);
    of_model |= mamba2.heads == 16;
  }
  EXPECT_TRUE(of_model);
  for (const std::string_view kernel : Mamba2::kSubKernels)
    EXPECT_EQ(batches[Symbol(kernel)], (std::set<int64_t>{1, 3})) << kernel;
}

TEST_F(CheckCasesTest, CasesThatDoNotFitInMemoryAreLeftOut) {
  for (const Gemm& gemm : gemms({.memory_bytes = 1e6})) EXPECT_LT(gemm.m * gemm.n + gemm.m * gemm.k, 1000000);
}

TEST_F(CheckCasesTest, NoCaseIsRepeatedOrSenseless) {
  const OpType& op = ops_.get("attention_context");
  const std::vector<Case> all = check_cases(op, shapes_, {.memory_bytes = 1e10});
  ASSERT_FALSE(all.empty());
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(op.why_invalid(all[i].values), "");
    for (size_t j = 0; j < i; ++j) EXPECT_FALSE(all[i] == all[j]);
  }
}

}  // namespace
}  // namespace perfatlas
