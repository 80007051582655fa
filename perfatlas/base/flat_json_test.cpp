// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/base/flat_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace perfatlas {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(FlatJson, ValuesOfEveryTypeAreFoundByNameInAnyOrder) {
  FlatJson json;
  const JsonView view =
      json.parse(R"({"a":"x\u00e9\n","b":-3,"c":[1,2.5,-1],"d":{"b":7,"e":[[1],[],[2,3]]},"f":true,"g":null,)"
                 R"("h":18446744073709551615})");
  EXPECT_EQ(view.whole<uint64_t>("h"), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(view.text("a"), "x\u00e9\n");
  EXPECT_EQ(view.whole<int32_t>("b"), -3);
  EXPECT_THAT(view.reals("c"), ElementsAre(1, 2.5, -1));
  EXPECT_EQ(view.object("d").whole<int64_t>("b"), 7);
  EXPECT_THAT(view.object("d").lists_of_reals("e"),
              ElementsAre(ElementsAre(1), ElementsAre(), ElementsAre(2, 3)));
  EXPECT_TRUE(view.truth("f"));
  EXPECT_EQ(view.real("b"), -3);
  EXPECT_FALSE(view.has("e"));
  EXPECT_THAT(view.names(), ElementsAre("a", "b", "c", "d", "f", "g", "h"));
}

TEST(FlatJson, TheBlockIsReusedByLongerAndShorterTexts) {
  FlatJson json;
  EXPECT_EQ(json.parse(R"({"a":"1"})").text("a"), "1");
  const std::string large(100000, 'x');
  EXPECT_EQ(json.parse("{\"a\":\"" + large + "\"}").text("a"), large);
  EXPECT_EQ(json.parse(R"({"b":2})").whole<int64_t>("b"), 2);
}

TEST(FlatJson, WhatIsMissingOrOfAnotherTypeIsNamed) {
  FlatJson json;
  const JsonView view = json.parse(R"({"a":"x","n":-1,"big":4294967296,"r":1.5,"l":[1,"x"]})");
  EXPECT_THAT([&] { view.text("b"); }, ThrowsMessage<FlatJsonError>(HasSubstr("member 'b' is missing")));
  EXPECT_THAT([&] { view.real("a"); }, ThrowsMessage<FlatJsonError>(HasSubstr("member 'a' is not a number")));
  EXPECT_THAT([&] { view.whole<uint64_t>("n"); },
              ThrowsMessage<FlatJsonError>(HasSubstr("'n' is not a whole number")));
  EXPECT_THROW(view.whole<uint32_t>("big"), FlatJsonError);
  EXPECT_THROW(view.whole<int64_t>("r"), FlatJsonError);
  EXPECT_THROW(view.reals("l"), FlatJsonError);
  EXPECT_THROW(view.object("l"), FlatJsonError);
}

TEST(FlatJson, TextThatIsNoObjectIsRefused) {
  FlatJson json;
  for (const char* text : {"", "{", "[1]", "3", "{\"a\":1}}", "{\"a\":nan}", "{\"a\":\"\xff\"}"})
    EXPECT_THROW(json.parse(text), FlatJsonError) << text;
}

bool nlohmann_accepts(const std::string& text) {
  const auto parsed = nlohmann::json::parse(text, nullptr, false);
  return parsed.is_object();
}

bool accepts(FlatJson& json, const std::string& text) {
  try {
    json.parse(text);
    return true;
  } catch (const FlatJsonError&) {
    return false;
  }
}

TEST(FlatJson, AcceptsExactlyWhatAnotherParserAccepts) {
  const std::string whole = R"({"a":"plain text, long enough","b\u00e9\n":[1,-2.5e+3,0.125,true,null,{}],)"
                            R"("c":{"d":[],"e":"\ud83d\ude00 \\ \/"},)"
                            "\"f\": \"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\" , \"g\" : 1E-2 }";
  FlatJson json;
  ASSERT_TRUE(accepts(json, whole));
  const std::string_view bytes =
      "\"\\{}[]:,.-+eE0123456789 tfnu/\x01\x7f\x80\xa0\xbf\xc0\xc3\xe0\xed\xf0\xf4\xff";
  std::mt19937 random(7);
  int accepted = 0;
  for (int round = 0; round < 40'000; ++round) {
    std::string text = whole;
    for (auto changes = random() % 3 + 1; changes > 0; --changes) {
      const size_t at = random() % text.size();
      const char byte = bytes[random() % bytes.size()];
      switch (random() % 3) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.insert(at, 1, byte);
          break;
        default:
          text.erase(at, 1 + random() % 3);
      }
    }
    ASSERT_EQ(accepts(json, text), nlohmann_accepts(text)) << text;
    accepted += nlohmann_accepts(text);
  }
  EXPECT_GT(accepted, 1000);
}

TEST(FlatJson, EveryPrefixIsRefused) {
  const std::string whole = R"({"a":[1,{"b":"\u00e9x"}],"c":-1.5e3,"d":null})";
  FlatJson json;
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(accepts(json, whole.substr(0, size))) << size;
}

TEST(FlatJson, TextsAndNumbersReadBackAsTheyWereWritten) {
  EXPECT_TRUE(rc::check([](const std::string& raw, uint64_t bits) {
    std::string text;
    for (const char c : raw) text += char(c & 0x7f);
    text += "\xc3\xa9\xf0\x9f\x98\x80";
    const auto number = std::bit_cast<double>(bits);
    const bool ascii = bits % 2 == 0;
    nlohmann::json written{{"t", text}, {text, bits}, {"i", int64_t(bits)}};
    if (std::isfinite(number)) written["r"] = number;
    FlatJson json;
    const std::string line = written.dump(-1, ' ', ascii);
    const JsonView view = json.parse(line);
    RC_ASSERT(view.text("t") == text);
    RC_ASSERT(view.whole<uint64_t>(text) == bits);
    RC_ASSERT(view.whole<int64_t>("i") == int64_t(bits));
    if (std::isfinite(number)) RC_ASSERT(view.real("r") == number);
  }));
}

TEST(FlatJson, NumbersAtTheLimitsOfTheirTypes) {
  FlatJson json;
  const JsonView view = json.parse(
      R"({"a":18446744073709551616,"b":-9223372036854775808,"c":-9223372036854775809,"d":1e-400,"e":5e-324,"f":-0.0})");
  EXPECT_EQ(view.real("a"), 18446744073709551616.0);
  EXPECT_THROW(view.whole<uint64_t>("a"), FlatJsonError);
  EXPECT_EQ(view.whole<int64_t>("b"), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(view.real("c"), -9223372036854775808.0);
  EXPECT_EQ(view.real("d"), 0);
  EXPECT_EQ(view.real("e"), std::numeric_limits<double>::denorm_min());
  EXPECT_TRUE(std::signbit(view.real("f")));
  EXPECT_THROW(json.parse(R"({"a":1e400})"), FlatJsonError);
}

}  // namespace
}  // namespace perfatlas
