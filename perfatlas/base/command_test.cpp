// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/base/command.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

TEST(Command, ReturnsWhatTheProgramSaidAndItsCode) {
  const CommandResult result = run_command({"sh", "-c", "echo out; echo err >&2; exit 3"});
  EXPECT_EQ(result.code, 3);
  EXPECT_EQ(result.output, "out\nerr");
  EXPECT_EQ(run_command({"sh", "-c", "kill -9 $$"}).code, 128 + 9);
}

TEST(Command, AMissingProgramIsAnError) { EXPECT_THROW(run_command({"no-such-program-anywhere"}), Error); }

RC_GTEST_PROP(Command, ShellReadsQuotedWordsBack, ()) {
  const auto word = *rc::gen::container<std::string>(
      rc::gen::oneOf(rc::gen::inRange<char>(' ', '~'), rc::gen::element('\'', '"', '\\', '$', '`')));
  RC_ASSERT(run_command({"sh", "-c", fmt::format("printf '<%s>' {}", shell_quoted(word))}).output ==
            "<" + word + ">");
}

RC_GTEST_PROP(Command, QuotedWordsAreReadBackWithoutAShellToo, (const std::vector<std::string>& words)) {
  std::string line;
  for (const std::string& word : words) line += shell_quoted(word) + " ";
  RC_ASSERT(shell_words(line) == words);
}

TEST(Command, WordsAreThoseThatAShellWouldSee) {
  for (const std::string line :
       {R"(a  'b c'"d e"\ f "" g)", R"("a\"b\\c\d" 'e\f')", R"(  lead and trail  )", R"(--x='a b' "it's")"}) {
    const std::string shell = run_command({"sh", "-c", "printf '<%s>' " + line}).output;
    std::string own;
    for (const std::string& word : shell_words(line)) own += "<" + word + ">";
    EXPECT_EQ(own, shell);
  }
  EXPECT_TRUE(shell_words(" \t\n").empty());
  EXPECT_THROW(shell_words("a 'b"), UsageError);
}

}  // namespace
}  // namespace perfatlas
