// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/atlas_axis.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace perfatlas {
namespace {

/// By binary search.
AxisPlace sought(const std::vector<double>& keys, double x) {
  const auto upper = uint32_t(std::upper_bound(keys.begin(), keys.end(), x) - keys.begin());
  const auto last = uint32_t(keys.size() - 1);
  if (upper == 0) return {0, lower_anchor_of(keys), false, AxisStep::below};
  if (keys[upper - 1] == x) return {upper - 1, upper - 1, true, AxisStep::inside};
  if (upper > last) return {last, upper_anchor_of(keys), false, AxisStep::above};
  return {upper - 1, upper, false, AxisStep::inside};
}

void expect_found(const std::vector<double>& keys, double x) {
  const AxisPlace expected = sought(keys, x), found = AtlasAxis(keys).place_of(x);
  RC_ASSERT(found.a == expected.a);
  RC_ASSERT(found.b == expected.b);
  RC_ASSERT(found.exact == expected.exact);
  RC_ASSERT(found.step == expected.step);
}

RC_GTEST_PROP(AtlasAxisProperty, PlacesAreThoseOfABinarySearch, ()) {
  // Dense, geometric and mixed lists, with and without 0.
  const auto bits = *rc::gen::inRange(3, 40);
  auto whole = *rc::gen::nonEmpty(
      rc::gen::unique<std::vector<int64_t>>(rc::gen::inRange<int64_t>(0, int64_t{1} << bits)));
  std::sort(whole.begin(), whole.end());
  const std::vector<double> keys(whole.begin(), whole.end());
  for (const double key : keys)
    for (const double x : {key, key - 1, key + 0.5, key * 1.3, key * 100}) expect_found(keys, x);
  expect_found(keys, double(*rc::gen::inRange<int64_t>(0, int64_t{1} << 41)));
}

TEST(AtlasAxis, EveryCountUpToSomeThousandIsFound) {
  std::vector<double> keys;
  for (int key = 1; key <= 5000; ++key) keys.push_back(key);
  const AtlasAxis axis(keys);
  for (uint32_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(axis.place_of(keys[i]).a, i);
    EXPECT_EQ(axis.place_of(keys[i] + 0.5).a, i);
  }
}

TEST(AtlasAxis, EqualKeysAreKeptOnce) {
  AxisPool pool;
  EXPECT_EQ(pool.axis_of({1, 2, 4}), pool.axis_of({1, 2, 4}));
  EXPECT_NE(pool.axis_of({1, 2, 4}), pool.axis_of({1, 2, 8}));
}

}  // namespace
}  // namespace perfatlas
