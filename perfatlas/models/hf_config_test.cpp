// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/models/hf_config.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

HfConfig with(const std::string& value) { return HfConfig::parse(fmt::format(R"({{"k": {}}})", value), "c"); }

template <class Read>
std::string error_of(const Read& read) {
  try {
    (void)read();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(HfConfig, SizesThatNoModelHasAreRefused) {
  for (const char* value : {"0", "-1", "1.0", "\"64\"", "[]", "true", "9223372036854775808", "1e300"})
    EXPECT_EQ(error_of([&] { return with(value).positive("k"); }).substr(0, 11), "c: key 'k' ") << value;
  EXPECT_EQ(error_of([&] { return with("1048577").positive("k"); }),
            "c: key 'k' is 1048577, more than any model has (at most 1048576)");
  EXPECT_EQ(with("1048576").positive("k"), 1048576);
  EXPECT_EQ(error_of([&] { return with("null").positive("k"); }), "c: key 'k' is missing");
}

TEST(HfConfig, LengthsInTokensMayBeHuge) {
  EXPECT_EQ(with("9223372036854775807").tokens("k"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(with("null").tokens("k"), 0);
  EXPECT_EQ(error_of([&] { return with("-1").tokens("k"); }),
            "c: key 'k' is -1, expected an integer of at least 0");
}

TEST(HfConfig, LongValuesAreShownByTheirBeginning) {
  EXPECT_EQ(clipped(std::string(60, 'x')), std::string(60, 'x'));
  EXPECT_EQ(clipped(std::string(61, 'x')), std::string(60, 'x') + "...");
  EXPECT_EQ(clipped(std::string(59, 'x') + "\xc3\xa4"), std::string(59, 'x') + "...") << "no half character";
}

TEST(HfConfig, AByteOrderMarkAndWordsWithinTextsDoNoHarm) {
  const HfConfig config = HfConfig::parse("\xef\xbb\xbf{\"a\\\\\": NaN, \"b\": \"NaN \\\" Infinity\"}", "c");
  EXPECT_FALSE(config.has("a\\"));
  EXPECT_EQ(config.text_if("b"), "NaN \" Infinity");
}

}  // namespace
}  // namespace perfatlas
