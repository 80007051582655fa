// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/base/flat_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace perfatlas {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(FlatJson, ValuesOfEveryTypeAreFoundByNameInAnyOrder) {
  FlatJson json;
  const JsonView view = json.parse(
      R"({"a":"x\u00e9\n","b":-3,"c":[1,2.5,-1],"d":{"b":7,"e":[[1],[],[2,3]]},"f":true,"g":null,"h":18446744073709551615})");
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

}  // namespace
}  // namespace perfatlas
