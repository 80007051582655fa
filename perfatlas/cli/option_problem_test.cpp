// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/option_problem.h"

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
  words.insert(words.begin(), "verb");
  std::reverse(words.begin(), words.end());  // the library takes words from the end
  try {
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    return option_problem(app, error);
  }
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
  EXPECT_EQ(problem({"--users", "7"}), "fine");
}

TEST(OptionProblem, NumbersOutsideOfTheirBoundsAreNamedWithThese) {
  EXPECT_EQ(problem({"--port", "70000"}), "--port 70000 is outside of 0 to 65535; give a number within");
  EXPECT_EQ(problem({"--limit", "-1"}), "--limit -1 is too small; give a number above 0");
}

TEST(OptionProblem, OtherErrorsKeepTheirWords) {
  EXPECT_EQ(problem({"--nothing"}), "The following argument was not expected: --nothing");
}

}  // namespace
}  // namespace perfatlas
