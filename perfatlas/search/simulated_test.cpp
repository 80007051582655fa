// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/simulated.h"

#include <gtest/gtest.h>

#include "perfatlas/base/error.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/search/search.h"
#include "perfatlas/tables/published_wheel_test.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas {
namespace {

TEST(SimulatedSearch, LoosensTtftForTheFormulasAndKeepsTpot) {
  const auto targets = loosened({{1000, 10}, {1000, 20}});
  ASSERT_EQ(targets.size(), 2u);
  for (const LatencyTarget& target : targets) EXPECT_GT(target.ttft_ms, 2000);
  EXPECT_EQ(targets[1].tpot_ms, 20);
}

TEST(SimulatedSearch, LimitsAreOnTheStatisticAskedFor) {
  const Summary summary{.count = 4, .mean = 1, .p50 = 2, .p90 = 3, .p99 = 4};
  EXPECT_EQ(value_of(summary, Statistic::mean), 1);
  EXPECT_EQ(value_of(summary, Statistic::p50), 2);
  EXPECT_EQ(value_of(summary, Statistic::p90), 3);
  EXPECT_EQ(value_of(summary, Statistic::p99), 4);
}

/// A search of small aggregated deployments of a model on published tables.
class SearchOfPublishedTables : public testing::Test {
 protected:
  void SetUp() override {
    PERFATLAS_NEED_WHEEL();
    root_ = std::make_unique<SystemsRoot>(published_wheel(), ops_);
    session_ = std::make_unique<estimate::Session>(*root_, std::vector<std::string>{});
    request_.model = "Qwen/Qwen3-32B";
    request_.system = "h200_sxm";
    request_.frameworks = {estimate::Framework::vllm};
    request_.workload = {.isl = 1024, .osl = 128};
    request_.target = {.ttft_ms = 4000, .tpot_ms = 60};
    request_.total_gpus = 2;
    request_.disaggregated = false;
    request_.step_model = StepModel::simulation;
  }
  std::vector<Found> found() {
    SearchResult result = run_search(*session_, request_);
    return result.experiments.empty() ? std::vector<Found>{} : std::move(result.experiments.front().found);
  }
  std::string refusal() {
    try {
      (void)run_search(*session_, request_);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "no refusal";
  }

  OpRegistry ops_ = all_ops();
  std::unique_ptr<SystemsRoot> root_;
  std::unique_ptr<estimate::Session> session_;
  SearchRequest request_;
};

TEST_F(SearchOfPublishedTables, EveryRowCarriesSimulatedFiguresWithinTheTtftLimit) {
  const std::vector<Found> rows = found();
  ASSERT_FALSE(rows.empty());
  for (const Found& row : rows) {
    ASSERT_TRUE(row.simulated);
    EXPECT_EQ(row.ttft_ms, round3(row.simulated->ttft_ms.mean));
    EXPECT_LE(row.simulated->ttft_ms.mean, request_.target.ttft_ms);
    EXPECT_GE(row.simulated->ttft_ms.p99, row.simulated->ttft_ms.p50);
    EXPECT_NEAR(row.requests_per_s * row.request_latency_ms / 1000, row.concurrency, 0.01 * row.concurrency)
        << "Little's law";
  }
}

TEST_F(SearchOfPublishedTables, ALimitOnAPercentileKeepsThePercentileBelowIt) {
  const size_t on_means = found().size();
  request_.ttft_statistic = Statistic::p99;
  const std::vector<Found> rows = found();
  ASSERT_FALSE(rows.empty());
  EXPECT_LT(rows.size(), on_means) << "the limit on the mean lets some first waves through";
  for (const Found& row : rows) EXPECT_LE(row.simulated->ttft_ms.p99, request_.target.ttft_ms);
}

TEST_F(SearchOfPublishedTables, WhatTheSimulationDoesNotKnowIsRefused) {
  const SearchRequest sound = request_;
  request_.workload.prefix = 100;
  EXPECT_EQ(refusal(), "the simulation knows no cached prefixes; leave out --prefix or --step-model sim");
  request_ = sound, request_.workload.osl = 1;
  EXPECT_EQ(refusal(), "--step-model sim needs --osl of at least 2");
}

}  // namespace
}  // namespace perfatlas
