// SPDX-License-Identifier: Apache-2.0
// The engine against answers of aiconfigurator itself (tests/aic/README.md), on the data of its wheel.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>
#include <sstream>

#include "perfatlas/aic/question_lines.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/tables/published_wheel_test.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas::aic {
namespace {

constexpr double kTolerance = 1e-9;
constexpr std::string_view kModes[] = {"SILICON", "HYBRID", "EMPIRICAL", "SOL", "SOL_FULL"};

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, '\t');) cells.push_back(cell == "=" ? cells.back() : cell);
  return cells;
}

std::vector<std::string> words_of(const std::string& cell) {
  std::istringstream in(cell);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

bool near(double a, double b) { return std::abs(a - b) <= kTolerance * std::max(std::abs(a), std::abs(b)); }

/// What an answer does not share with the golden cell; empty when they agree.
std::string difference(const nlohmann::json& answer, const std::string& cell, bool parts) {
  const std::vector<std::string> words = words_of(cell);
  if (words[0] == "!") {
    if (!answer.contains("error")) return "a number where the golden is " + cell;
    const std::string kind = answer["error"]["kind"];
    if (answer["error"]["message"].get<std::string>().empty()) return "an error without words";
    // A place that the data does not reach is told apart from missing data here, but not there.
    const bool reach = kind == "InterpolationDataNotAvailable" && words[1] == "PerfDataNotAvailable";
    return kind == words[1] || reach ? "" : kind + " instead of " + words[1];
  }
  if (answer.contains("error")) return answer["error"].dump() + " instead of " + cell;
  const auto value = [&](size_t i) { return std::stod(words[i]); };
  if (!near(answer["latency_ms"], value(0))) return answer["latency_ms"].dump() + " instead of " + words[0];
  if (parts)
    return near(answer["math_ms"], value(1)) && near(answer["memory_ms"], value(2))
               ? ""
               : "parts: " + answer.dump();
  if (!near(answer["energy_mj"], words.size() > 3 ? value(3) : 0)) return "energy: " + answer.dump();
  if (answer["source"] != words[1]) return "source: " + answer.dump();
  return answer.value("provenance", "-") == words[2] ? "" : "provenance: " + answer.dump();
}

class PublishedAnswers : public testing::TestWithParam<std::string> {};

TEST_P(PublishedAnswers, AreGivenToNineDigitsWithSourceAndError) {
  PERFATLAS_NEED_WHEEL();
  const OpRegistry ops = all_ops();
  const SystemsRoot root(published_wheel(), ops, {.allow_unlisted_versions = true});
  QuestionLines lines(root, {});
  std::ifstream file(PERFATLAS_TEST_DATA "/../tests/aic/" + GetParam());
  ASSERT_TRUE(file) << GetParam();
  size_t answers = 0, wrong = 0;
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> cells = cells_of(line);
    ASSERT_EQ(cells.size(), 1 + std::size(kModes)) << line;
    nlohmann::json question = nlohmann::json::parse(cells[0]);
    for (size_t mode = 0; mode < std::size(kModes); ++mode) {
      if (cells[mode + 1] == "-") continue;
      question["mode"] = kModes[mode];
      std::string out;
      lines.answer(question.dump(), out);
      const std::string wrongness =
          difference(nlohmann::json::parse(out), cells[mode + 1], kModes[mode] == "SOL_FULL");
      ++answers;
      if (!wrongness.empty() && ++wrong <= 20) ADD_FAILURE() << question.dump() << "\n  " << wrongness;
    }
  }
  EXPECT_EQ(wrong, 0u) << "of " << answers;
  EXPECT_GT(answers, 0u);
}

INSTANTIATE_TEST_SUITE_P(Files, PublishedAnswers,
                         testing::Values("blocks_and_energy.tsv", "hopper.tsv", "odd_shapes.tsv",
                                         "other_systems.tsv", "sparse_and_experts.tsv", "shared_prompts.tsv"),
                         [](const auto& file) { return file.param.substr(0, file.param.find('.')); });

}  // namespace
}  // namespace perfatlas::aic
