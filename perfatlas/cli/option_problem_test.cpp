// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/option_problem.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace perfatlas {
namespace {

struct Options {
  int64_t users = 0;
  std::optional<double> rate;
  uint32_t seed = 1;
  double step = 2.5;
  int port = 0;
  double limit = 1;
  std::vector<int64_t> sizes;
  std::string text;
};

/// What is said about a command line of one verb with all kinds of options.
std::string problem(std::vector<std::string> words) {
  CLI::App app("test", "program");
  CLI::App* const verb = app.add_subcommand("verb", "");
  Options o;
  verb->add_option("--users,-u", o.users, "");
  verb->add_option("--rate", o.rate, "");
  verb->add_option("--seed", o.seed, "");
  verb->add_option("--step", o.step, "")->capture_default_str();
  verb->add_option("--port", o.port, "")->check(CLI::Range(0, 65535));
  verb->add_option("--limit", o.limit, "")->check(CLI::PositiveNumber);
  verb->add_option("--sizes", o.sizes, "")->delimiter(',');
  verb->add_option("--text", o.text, "");
  check_values(app);
  words.insert(words.begin(), "verb");
  std::reverse(words.begin(), words.end());  // the library takes words from the end
  try {
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    return option_problem(app, error);
  }
  if (o.users != 0) return fmt::format("{} users", o.users);
  return "fine";
}

TEST(OptionProblem, NumbersOfTheWrongKindAreNamedWithOneThatWouldDo) {
  EXPECT_EQ(problem({"--users", "abc"}), "--users 'abc' is not a whole number; give one like --users 8");
  EXPECT_EQ(problem({"-u", "3.5"}), "--users '3.5' is not a whole number; give one like --users 8");
  EXPECT_EQ(problem({"--rate", "fast"}), "--rate 'fast' is not a number; give one like --rate 0.5");
  EXPECT_EQ(problem({"--step", "1.0ms"}), "--step '1.0ms' is not a number; give one like --step 2.5");
  EXPECT_EQ(problem({"--seed", "x"}),
            "--seed 'x' is not a whole number of at least 0; give one like --seed 8");
  EXPECT_EQ(problem({"--sizes", "1,two,3"}), "--sizes 'two' is not a whole number; give one like --sizes 8");
  EXPECT_EQ(problem({"--port", "http"}), "--port 'http' is not a whole number; give one like --port 8");
  EXPECT_EQ(problem({"--users", "7"}), "7 users");
}

TEST(OptionProblem, NumbersOutsideOfTheirBoundsAreNamedWithThese) {
  EXPECT_EQ(problem({"--port", "70000"}), "--port 70000 is outside of 0 to 65535; give a number within");
  EXPECT_EQ(problem({"--limit", "-1"}), "--limit -1 is too small; give a number above 0");
}

TEST(OptionProblem, NumbersBeyond64BitsAreQuotedAsTyped) {
  EXPECT_EQ(problem({"--users", "99999999999999999999"}),
            "--users 99999999999999999999 is larger than any number that fits there");
  EXPECT_EQ(problem({"--users=-99999999999999999999"}),
            "--users -99999999999999999999 is smaller than any number that fits there");
  EXPECT_EQ(problem({"--port", "99999999999"}),
            "--port 99999999999 is outside of 0 to 65535; give a number within");
  EXPECT_EQ(problem({"--sizes", "1,99999999999999999999"}),
            "--sizes 99999999999999999999 is larger than any number that fits there");
}

TEST(OptionProblem, OnlyPlainDecimalIsANumber) {
  for (const char* const text : {"1e3", "4k", "+5", " 5", "5 ", "0x10", "1_000", ""})
    EXPECT_EQ(problem({"--users", text}),
              fmt::format("--users '{}' is not a whole number; give one like --users 8", text));
  for (const char* const text : {"nan", "inf", "-inf", "1e400", "0x1p3", "+5", " 5", ""})
    EXPECT_EQ(problem({"--rate", text}),
              fmt::format("--rate '{}' is not a number; give one like --rate 0.5", text));
  EXPECT_EQ(problem({"--seed=-1"}),
            "--seed '-1' is not a whole number of at least 0; give one like --seed 8");
  EXPECT_EQ(problem({"--users", "010"}), "10 users");
  EXPECT_EQ(problem({"--rate", "1e3"}), "fine");
  EXPECT_EQ(problem({"--text", ""}), "--text is empty; give a value, or leave it out");
}

TEST(OptionProblem, OtherErrorsKeepTheirWords) {
  EXPECT_EQ(problem({"--nothing"}), "The following argument was not expected: --nothing");
}

}  // namespace
}  // namespace perfatlas
