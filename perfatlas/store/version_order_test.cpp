// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/store/version_order.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace perfatlas {
namespace {

TEST(VersionOrder, FollowsReleasePhases) {
  const std::vector<std::string> ascending = {
      "latest", "main",      "0.1.dev19262", "0.5.6",     "0.5.6.post2", "0.5.10",  "1.0.dev1",
      "1.0a1",  "1.0b2",     "1.0rc2.dev3",  "1.0rc2",    "1.0rc10",     "1.0",     "1.0+a",
      "1.0+b",  "1.0.post1", "1.3.0rc15",    "1.3.0rc20", "1.3.0",       "2023.2.0"};
  for (size_t i = 0; i < ascending.size(); ++i)
    for (size_t j = 0; j < ascending.size(); ++j)
      EXPECT_EQ(older_version(ascending[i], ascending[j]), i < j) << ascending[i] << " " << ascending[j];
}

TEST(VersionOrder, SpellingsOfOneVersionAreEqual) {
  for (const auto& [a, b] : {std::pair{"1.0", "1.0.0"}, {"v1.2", "1.2"}, {"1.0-rc1", "1.0rc.1"}}) {
    EXPECT_FALSE(older_version(a, b)) << a;
    EXPECT_FALSE(older_version(b, a)) << b;
  }
}

TEST(VersionOrder, NumbersTooLargeToReadAreNoVersions) {
  EXPECT_TRUE(older_version("99999999999999999999", "0.1"));
  EXPECT_TRUE(older_version("", "0"));
  EXPECT_FALSE(is_version("99999999999999999999"));
  EXPECT_FALSE(is_version("main"));
  EXPECT_TRUE(is_version("0.5.6.post2"));
}

}  // namespace
}  // namespace perfatlas
