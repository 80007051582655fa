// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/points/family_order.h"

#include <gtest/gtest.h>

#include <set>

#include "perfatlas/ops/all_ops.h"

namespace perfatlas {
namespace {

struct GemmFamily {
  OpRegistry ops = all_ops();
  SizeSpace space{ops.get("gemm")};
  std::vector<FieldValues> cases;
  std::vector<uint64_t> ids;

  GemmFamily() {
    const OpType& op = ops.get("gemm");
    op.aic_cases({.sm_version = 50}, [&](const FieldValues& values) {
      if (space.family_of(values) == space.family_of(op.defaults())) cases.push_back(values);
    });
    for (const FieldValues& values : cases) ids.push_back(case_id({&op, values}));
  }
  std::vector<OrderPlace> order(const OrderLimits& limits) const {
    return family_order(
        space, {cases.size(), [this](size_t i) { return cases[i]; }, [this](size_t i) { return ids[i]; }},
        limits);
  }
};

TEST(FamilyOrder, NamesEveryCaseAtMostOnceAndAuditsEveryTenthPlace) {
  const GemmFamily gemm;
  ASSERT_EQ(gemm.cases.size(), 35'742u);
  const auto order = gemm.order({.picks = 3575});
  std::set<uint32_t> seen;
  for (size_t i = 0; i < order.size(); ++i) {
    EXPECT_EQ(order[i].audit, (i + 1) % 10 == 0);
    seen.insert(order[i].index);
  }
  EXPECT_EQ(seen.size(), 3575u);
}

TEST(FamilyOrder, AShorterOrderIsThePrefixOfALongerOne) {
  const GemmFamily gemm;
  const auto shorter = gemm.order({.picks = 1200});
  const auto longer = gemm.order({.picks = 2400});
  for (size_t i = 0; i < shorter.size(); ++i) ASSERT_EQ(shorter[i].index, longer[i].index) << i;
}

TEST(FamilyOrder, GoesOnBeyondTheSpreadCapUntilEveryCaseIsNamed) {
  const GemmFamily gemm;
  const auto order = gemm.order({.picks = gemm.cases.size(), .spread_cap = 100});
  std::set<uint32_t> seen;
  for (const OrderPlace& place : order) {
    seen.insert(place.index);
    EXPECT_FALSE(place.audit);  // everything is measured: nothing is left to predict
  }
  EXPECT_EQ(seen.size(), gemm.cases.size());
}

TEST(FamilyOrder, AFamilyLargerThanThePoolIsStillNamedWhole) {
  const GemmFamily gemm;
  const auto order = gemm.order({.picks = gemm.cases.size(), .spread_cap = 100, .pool_cap = 1000});
  std::set<uint32_t> seen;
  for (const OrderPlace& place : order) seen.insert(place.index);
  EXPECT_EQ(seen.size(), gemm.cases.size());
}

TEST(FamilyOrder, SmallFamiliesGetAHundredAudits) {
  EXPECT_EQ(audit_stride(5000, 50'000), 10u);
  EXPECT_EQ(audit_stride(500, 5000), 5u);
  EXPECT_EQ(audit_stride(150, 5000), 2u);
  EXPECT_EQ(audit_stride(150, 150), 0u);
}

TEST(SizeSpace, FamiliesShareTypesNotSizes) {
  const OpRegistry ops = all_ops();
  const SizeSpace space(ops.get("attention_context"));
  const Case a = ops.parse_case(
      "attention_context batch_size=1 isl=128 num_heads=8 num_key_value_heads=8 head_dim=128 window_size=0 "
      "beam_width=1 attn_dtype=bfloat16 kv_cache_dtype=bfloat16 step=0");
  Case b = a;
  set_field(b, "num_key_value_heads", "2");
  set_field(b, "head_dim", "64");
  EXPECT_EQ(space.family_of(a.values), space.family_of(b.values));
  set_field(b, "kv_cache_dtype", "fp8");
  EXPECT_NE(space.family_of(a.values), space.family_of(b.values));
  EXPECT_EQ(space.family_name(a.values), "attention_context bfloat16 bfloat16");
}

TEST(SizeSpace, EveryOpHasCoordinates) {
  const OpRegistry ops = all_ops();
  for (const auto& op : ops.ops()) EXPECT_FALSE(SizeSpace(*op).axes().empty()) << op->info.id;
}

}  // namespace
}  // namespace perfatlas
