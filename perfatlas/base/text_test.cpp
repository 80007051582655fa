// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/base/text.h"

#include <gtest/gtest.h>

namespace perfatlas {
namespace {

TEST(Text, LowerCaseChangesLettersOfAsciiAlone) {
  EXPECT_EQ(lower_case("MLP.Gate_9 \xc3\x84"), "mlp.gate_9 \xc3\x84");
}

TEST(Text, IntegersFillTheWholeText) {
  EXPECT_EQ(parse_integer("-12"), -12);
  for (const char* bad : {"", "12x", "1e3", " 1", "99999999999999999999", "1.0"})
    EXPECT_FALSE(parse_integer(bad)) << bad;
}

TEST(Text, RealsAreFinite) {
  EXPECT_EQ(parse_real("1.5e-3"), 1.5e-3);
  for (const char* bad : {"", "nan", "inf", "-inf", "1.0ms", "1e999"}) EXPECT_FALSE(parse_real(bad)) << bad;
}

TEST(Text, DurationsKnowTheirUnits) {
  EXPECT_EQ(parse_duration_s("90"), 90);
  EXPECT_EQ(parse_duration_s("10m"), 600);
  EXPECT_EQ(parse_duration_s("1.5h"), 5400);
  EXPECT_EQ(parse_duration_s("250ms"), 0.25);
  for (const char* bad : {"", "m", "-5s", "3 days", "1..5s"}) EXPECT_FALSE(parse_duration_s(bad)) << bad;
}

TEST(Text, FormatRealReadsBack) {
  for (const double value : {0.1, 1.0 / 3, 1e-300, 123456.789})
    EXPECT_EQ(parse_real(format_real(value)), value);
}

TEST(Text, NearestWordFindsSlipsOnly) {
  EXPECT_EQ(nearest_word("gem", {"gemm", "moe"}), "gemm");
  EXPECT_EQ(nearest_word("attention", {"gemm", "moe"}), "");
}

TEST(Text, SplitKeepsEmptyParts) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
}

}  // namespace
}  // namespace perfatlas
