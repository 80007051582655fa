// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/points/order_cache.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "perfatlas/base/file.h"
#include "perfatlas/ops/all_ops.h"

namespace perfatlas {
namespace {

struct Cases {
  OpRegistry ops = all_ops();
  SizeSpace space{ops.get("gemm")};
  std::vector<FieldValues> values;
  Cases() {
    const OpType& op = ops.get("gemm");
    for (int64_t n = 1; n <= 50; ++n)
      for (int64_t m = 1; m <= 50; ++m) {
        FieldValues v = op.defaults();
        v[*op.find_field("m")] = m;
        v[*op.find_field("n")] = 64 * n;
        values.push_back(v);
      }
  }
  FamilyCases family() const {
    return {values.size(), [this](size_t i) { return values[i]; },
            [this](size_t i) {
              return case_id({&space.op(), values[i]});
            }};
  }
};

std::vector<uint32_t> indices(const std::vector<OrderPlace>& order) {
  std::vector<uint32_t> out;
  for (const OrderPlace& place : order) out.push_back(place.index + (place.audit ? 1'000'000 : 0));
  return out;
}

TEST(OrderCache, GivesTheSameOrderFromDiskAndRepairsADamagedEntry) {
  const Cases cases;
  const TemporaryFolder home;
  const OrderCache cache(home / "orders");
  const OrderLimits limits{.picks = 250};
  const auto plain = indices(family_order(cases.space, cases.family(), limits));
  EXPECT_EQ(indices(cache.order(cases.space, cases.family(), limits)), plain);
  const auto entry = std::filesystem::directory_iterator(home / "orders")->path().string();
  EXPECT_EQ(indices(cache.order(cases.space, cases.family(), limits)), plain);
  std::string bytes = read_file(entry);
  bytes[9] = char(bytes[9] ^ 1);
  replace_file(entry, bytes);
  EXPECT_EQ(indices(cache.order(cases.space, cases.family(), limits)), plain);
}

TEST(OrderCache, OtherLimitsAreAnotherEntry) {
  const Cases cases;
  const TemporaryFolder home;
  const OrderCache cache(home / "orders");
  EXPECT_EQ(cache.order(cases.space, cases.family(), {.picks = 250}).size(), 250u);
  EXPECT_EQ(cache.order(cases.space, cases.family(), {.picks = 300}).size(), 300u);
}

TEST(OrderCache, WorksWithoutAPlaceToKeep) {
  const Cases cases;
  EXPECT_EQ(OrderCache({}).order(cases.space, cases.family(), {.picks = 100}).size(), 100u);
  EXPECT_EQ(OrderCache("/proc/nowhere").order(cases.space, cases.family(), {.picks = 100}).size(), 100u);
}

}  // namespace
}  // namespace perfatlas
