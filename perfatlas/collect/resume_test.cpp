// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/resume.h"

#include <gtest/gtest.h>

#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/gemm/gemm.h"

namespace perfatlas {
namespace {

TEST(ExpensiveLast, CheapCasesKeepTheirOrderAndExpensiveOnesFollowByCost) {
  const OpRegistry ops = all_ops();
  std::vector<Case> cases;
  for (const int64_t m : {500, 2, 300, 1, 400, 3}) cases.push_back(make_case(ops.get("gemm"), Gemm{.m = m}));
  const Plan plan = plan_of(cases);
  PlanStretches fresh({0, 1, 2, 3, 4, 5});
  put_expensive_last(
      plan, [](const Case& c) { return double(decode<Gemm>(c.values).m); }, 10, fresh);
  EXPECT_EQ(fresh, PlanStretches({1, 3, 5, 2, 4, 0}));
}

TEST(ExpensiveLast, CasesThatAreDoneStayAway) {
  const OpRegistry ops = all_ops();
  const Plan plan =
      plan_of({make_case(ops.get("gemm"), Gemm{.m = 1}), make_case(ops.get("gemm"), Gemm{.m = 2})});
  PlanStretches fresh({1});
  put_expensive_last(
      plan, [](const Case&) { return 100.0; }, 10, fresh);
  EXPECT_EQ(fresh, PlanStretches({1}));
}

}  // namespace
}  // namespace perfatlas
