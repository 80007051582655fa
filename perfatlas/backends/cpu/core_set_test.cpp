// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cpu/core_set.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

TEST(CoreSet, ParsesRangesAndLists) {
  EXPECT_EQ(parse_core_set("0"), (std::vector<int>{0}));
  EXPECT_EQ(parse_core_set("0-3"), (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(parse_core_set("5,0,2-3,3"), (std::vector<int>{0, 2, 3, 5}));
}

TEST(CoreSet, RefusesEverythingElse) {
  for (const char* bad : {"", "x", "1-", "-1", "3-1", "0,,1", "0 1", "0-99999", "cuda:0"})
    EXPECT_THROW(parse_core_set(bad), UsageError) << bad;
}

TEST(CoreSet, TextReadsBack) {
  ASSERT_TRUE(rc::check([] {
    const auto set = *rc::gen::nonEmpty(rc::gen::container<std::set<int>>(rc::gen::inRange(0, 40)));
    const std::vector<int> cores(set.begin(), set.end());
    RC_ASSERT(parse_core_set(core_set_text(cores)) == cores);
  }));
  EXPECT_EQ(core_set_text({0, 1, 2, 5}), "0-2,5");
}

TEST(CoreSet, ACoreThatIsNotThereIsNamed) {
  try {
    require_cores({0, 7}, {0, 1});
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(),
                 "device 0,7: core 7 is not there or not allowed to this process, which may use 0-1");
  }
}

}  // namespace
}  // namespace perfatlas
