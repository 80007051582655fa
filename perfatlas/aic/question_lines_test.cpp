// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/question_lines.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "perfatlas/tables/published_tree_test.h"

namespace perfatlas::aic {
namespace {

using testing::HasSubstr;

class QuestionLinesTest : public testing::Test {
 protected:
  QuestionLinesTest() {
    tree_.put_system("box");
    tree_.put_gemm("box/gemm/vllm/0.24.0", {"new,bfloat16,4,64,32,0.5", "new,bfloat16,12,64,32,1.5"});
    tree_.put_gemm("box/gemm/vllm/0.22.0", {"old,bfloat16,20,64,32,2.5"});
    tree_.put_system("bare");  // without tables
    root_ = std::make_unique<const SystemsRoot>(tree_.path(), ops_, plain_options());
  }
  QuestionLines fresh() const { return {*root_, {.system = "box", .backend = "vllm", .version = "0.24.0"}}; }
  /// What a program hears that asks nothing else.
  std::string alone(const std::string& line) const {
    std::string out;
    fresh().answer(line, out);
    return out;
  }

  OpRegistry ops_ = all_ops();
  PublishedTree tree_;
  std::unique_ptr<const SystemsRoot> root_;
};

constexpr const char* kGemm = R"("op":"GEMM","n":64,"k":32,"quant_mode":"bfloat16")";

TEST_F(QuestionLinesTest, AnswersRepeatTheIdAndComeInOrder) {
  QuestionLines lines = fresh();
  std::string out;
  for (const char* id : {"1", "\"a\"", "[1, 2]", "null"})
    lines.answer(fmt::format("{{\"id\": {}, {}, \"x\": 4}}", id, kGemm), out);
  EXPECT_THAT(out, testing::StartsWith(R"({"id":1,"latency_ms":0.5,)"));
  EXPECT_THAT(out, HasSubstr(R"({"id":"a","latency_ms":0.5,)"));
  EXPECT_THAT(out, HasSubstr(R"({"id":[1,2],"latency_ms":0.5,)"));
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 4);
}

TEST_F(QuestionLinesTest, RowsAreToldWhenAskedFor) {
  const std::string out = alone(fmt::format("{{{}, \"x\": 16, \"rows\": true}}", kGemm));
  EXPECT_THAT(out, HasSubstr(R"("kind":"interpolated")"));
  EXPECT_THAT(out, HasSubstr(R"("fields":"gemm_dtype=bfloat16 m=20 n=64 k=32","latency_ms":2.5,)"
                             R"("kernel_source":"old","backend":"vllm","version":"0.22.0","weight":0.5)"));
}

TEST_F(QuestionLinesTest, TheSpeedOfLightNeedsADescriptionAlone) {
  const auto ask = [&](const char* backend, const char* mode) {
    return alone(fmt::format(R"({{{}, "x": 4, "system": "bare", "backend": "{}", "mode": "{}"}})", kGemm,
                             backend, mode));
  };
  EXPECT_THAT(ask("vllm", "SOL"), HasSubstr(R"("source":"sol")"));
  EXPECT_THAT(ask("vllm", "SILICON"), HasSubstr("bare has no tables of back end 'vllm'"));
  EXPECT_THAT(ask("vlm", "SOL"), HasSubstr("bare has no tables of back end 'vlm'"));
}

TEST_F(QuestionLinesTest, UnlistedVersionsNeedNoFolderForTheSpeedOfLight) {
  const auto ask = [&](bool allowed, const char* mode) {
    SystemsRootOptions options = plain_options();
    options.allow_unlisted_versions = allowed;
    const SystemsRoot root(tree_.path(), ops_, options);
    QuestionLines lines(root, {.system = "box", .backend = "vllm", .version = "9.9"});
    std::string out;
    lines.answer(fmt::format(R"({{{}, "x": 4, "mode": "{}"}})", kGemm, mode), out);
    return out;
  };
  EXPECT_THAT(ask(true, "SOL"), HasSubstr(R"("source":"sol")"));
  EXPECT_THAT(ask(true, "SILICON"), HasSubstr("9.9"));
  EXPECT_THAT(ask(false, "SOL"), HasSubstr("9.9"));
}

TEST_F(QuestionLinesTest, BadLinesAreAnsweredWithTheirFault) {
  QuestionLines lines = fresh();
  for (int round = 0; round < 2; ++round)
    for (const auto& [line, fault] : std::vector<std::pair<std::string, const char*>>{
             {"{", "not JSON"},
             {"[]", "object"},
             {fmt::format("{{{}, \"x\": 4}} {{}}", kGemm), "not JSON"},
             {fmt::format("{{{}, \"x\": 4, }}", kGemm), "not JSON"},
             {fmt::format("{{{}, \"x\": \"4\"}}", kGemm), "x"},
             {fmt::format("{{{}, \"x\": 4, \"colour\": 1}}", kGemm), "colour"},
             {fmt::format("{{{}, \"x\": -1}}", kGemm), "x is -1, expected an integer from 0 to 2147483648"},
             {fmt::format("{{{}, \"x\": 9223372036854775808}}", kGemm), "from 0 to 2147483648"},
             {fmt::format("{{{}, \"x\": 4, \"imbalance\": -0.5}}", kGemm), "imbalance is -0.5"},
             {R"({"op":"CustomAllReduce","h":8,"tp_size":0,"x":4})",
              "tp_size is 0, expected an integer from 1"},
             {R"({"op":"GEMM","n":-64,"k":32,"quant_mode":"bfloat16","x":4})", "n is -64"},
             {R"({"op":"GEMM","n\":64,\"k":32,"x":4})", "n"},
             {R"({"op":"GEM","x":4})", "GEMM"},
             {R"({"op":"GEMM","n":64,"k":32,"quant_mode":"w4afp8","x":4})", "fp8_block"},
             {fmt::format("{{{}, \"x\": 4, \"mode\": \"GOLD\"}}", kGemm), "GOLD"},
             {fmt::format("{{{}, \"x\": 4, \"system\": \"bix\"}}", kGemm), "box"}}) {
      std::string out;
      lines.answer(line, out);
      EXPECT_THAT(out, testing::AllOf(HasSubstr("\"error\""), HasSubstr(fault))) << line;
      out.clear();
      lines.answer(fmt::format("{{{}, \"x\": 4}}", kGemm), out);
      EXPECT_THAT(out, HasSubstr("\"latency_ms\":0.5"));
    }
}

RC_GTEST_FIXTURE_PROP(QuestionLinesTest, WhatWasAskedBeforeChangesNoAnswer, ()) {
  QuestionLines lines = fresh();
  const auto number = rc::gen::element(1, 4, 8, 12, 16, 20, 50);
  for (int i = 0; i < 12; ++i) {
    std::vector<std::string> members{R"("op":"GEMM")", R"("n":64)", R"("k":32)",
                                     R"("quant_mode":"bfloat16")"};
    members.push_back(fmt::format("\"x\":{}{}", *number, *rc::gen::element<std::string>("", "", ".0")));
    if (*rc::gen::arbitrary<bool>()) members.push_back(fmt::format("\"batch_size\": {}", *number));
    if (*rc::gen::arbitrary<bool>())
      members.push_back(
          fmt::format("\"mode\": \"{}\"", *rc::gen::element<std::string>("SILICON", "SOL", "SOL_FULL")));
    if (*rc::gen::arbitrary<bool>())
      members.push_back(
          *rc::gen::element<std::string>("\"id\": 7", "\"id\":\"x\\\"y\"", "\"is_context\": false"));
    const std::vector<std::string> shuffled = *rc::gen::apply(
        [members](std::vector<int> keys) {
          std::vector<std::pair<int, std::string>> order;
          for (size_t m = 0; m < members.size(); ++m) order.emplace_back(keys[m % keys.size()], members[m]);
          std::stable_sort(order.begin(), order.end(),
                           [](const auto& a, const auto& b) { return a.first < b.first; });
          std::vector<std::string> texts;
          for (auto& [key, text] : order) texts.push_back(text);
          return texts;
        },
        rc::gen::container<std::vector<int>>(8, rc::gen::inRange(0, 2)));
    const std::string line = fmt::format("{{{}}}", fmt::join(shuffled, ", "));
    std::string out;
    lines.answer(line, out);
    RC_ASSERT(out == alone(line));
  }
}

}  // namespace
}  // namespace perfatlas::aic
