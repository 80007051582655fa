// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/serving_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "perfatlas/base/file.h"

namespace perfatlas {
namespace {

using testing::ElementsAre;

TEST(SystemsSources, AreTheEntriesOfAList) {
  EXPECT_THAT(systems_sources("/no/a, /no/b,"), ElementsAre("/no/a", "/no/b"));
}

TEST(SystemsSources, WithACommaInTheirNamesAreTakenWholeWhereTheyExist) {
  const TemporaryFolder folder;
  const std::string plain = folder / "a", with_comma = folder / "a,b", below = folder / "a,b/c,d";
  for (const std::string& path : {plain, with_comma, below}) std::filesystem::create_directory(path);
  EXPECT_THAT(systems_sources(with_comma), ElementsAre(with_comma));
  EXPECT_THAT(systems_sources(below + "," + plain + "," + with_comma), ElementsAre(below, plain, with_comma));
  EXPECT_THAT(systems_sources(plain + ",/no/b"), ElementsAre(plain, "/no/b"));
}

TEST(SystemsSources, TheOptionMayBeRepeated) {
  CLI::App app;
  std::string path;
  add_systems_path_option(app, path, "Tables");
  app.parse("--systems-path /no/a --systems-paths /no/b,/no/c");
  EXPECT_EQ(path, "/no/a,/no/b,/no/c");
}

}  // namespace
}  // namespace perfatlas
