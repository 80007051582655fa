// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/page/page.h"

#include <gtest/gtest.h>

namespace perfatlas {
namespace {

TEST(Page, DataAndTitleNeverBecomeMarkup) {
  const EmbeddedFile files[] = {{"a.html.in", "<t>@TITLE@</t><s>@DATA@</s>@@"}, {"a.js", "own()"}};
  const std::string page = html_page(
      {.title = "<b>&\"@DATA@", .json = script_safe(R"({"x":"</script>@TITLE@"})"), .files = files});
  EXPECT_EQ(page, "<t>&lt;b&gt;&amp;&quot;@DATA@</t><s>{\"x\":\"\\u003c/script>@TITLE@\"}</s>@@");
}

TEST(Page, SharedScriptsComeBeforeOwnOnes) {
  const EmbeddedFile files[] = {{"a.html.in", "@SCRIPT@"}, {"a.js", "own()"}};
  const std::string page = html_page({.title = "", .json = "{}", .files = files});
  EXPECT_TRUE(page.ends_with("own()"));
  EXPECT_NE(page.find("function plot("), std::string::npos);
}

}  // namespace
}  // namespace perfatlas
