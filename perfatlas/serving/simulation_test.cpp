// SPDX-License-Identifier: Apache-2.0
// What must hold whatever the prices: conservation, order, Little's law, bounds, refusals.
#include "perfatlas/serving/simulation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "perfatlas/base/error.h"
#include "perfatlas/serving/closed_form.h"
#include "perfatlas/serving/confidence.h"
#include "perfatlas/serving/constants.h"
#include "perfatlas/serving/serving_cases_test.h"

namespace perfatlas {
namespace {

class Books : public SimulationObserver {
 public:
  void ran(const Segment& segment) override {
    prompt_tokens += segment.prompt_tokens;
    decode_tokens += segment.decodes * segment.steps;
    EXPECT_GE(segment.start_ms, last_end_ms - 1e-6);
    last_end_ms = segment.start_ms + segment.duration_ms;
  }
  void finished(const ServingRequest& r, double done_ms) override {
    EXPECT_TRUE(ids.insert(r.id).second) << "request " << r.id << " ended twice";
    EXPECT_GE(r.first_ms, r.arrive_ms);
    EXPECT_GE(r.arrive_ms, r.send_ms);
    EXPECT_GE(done_ms, r.first_ms);
    input_tokens += r.input_tokens;
    output_tokens += r.output_tokens;
    in_system_ms += done_ms - r.arrive_ms;
  }
  std::set<int64_t> ids;
  int64_t prompt_tokens = 0, decode_tokens = 0, input_tokens = 0, output_tokens = 0;
  double last_end_ms = 0, in_system_ms = 0;
};

void conserve(ServingEngine engine) {
  const PriceTables prices = linear_prices();
  AggregatedCase served = random_case(prices, engine);
  Books books;
  const SimulationResult result = simulate(served, {}, &books);
  RC_ASSERT(result.stopped_early.empty());
  RC_ASSERT(result.unfinished == 0);
  RC_ASSERT(int64_t(books.ids.size()) == result.requests);
  RC_ASSERT(books.prompt_tokens == books.input_tokens);
  RC_ASSERT(books.decode_tokens + result.requests == books.output_tokens);
  RC_ASSERT(result.input_tokens == double(books.input_tokens));
  RC_ASSERT(result.output_tokens == double(books.output_tokens));
}

TEST(Simulation, RequestsThatAreSentTogetherPassAFrontEndOneByOne) {
  const PriceTables prices = linear_prices();
  AggregatedCase served;
  served.setup.launch = make_launch(ServingEngine::vllm, {});
  served.setup.prices = &prices;
  served.workload = {.input = {1000, 1}, .output = {2, 1}, .arrivals = ClosedLoop{.users = 2, .requests = 2}};
  const double together_ms = simulate(served).ttft_ms.mean;
  served.path.front_apart_ms = 1;
  const SimulationResult apart = simulate(served);
  EXPECT_EQ(apart.prompt_steps, 2) << "the idle engine began with the first request alone";
  EXPECT_LT(apart.ttft_ms.mean, together_ms)
      << "and its user got the first token before the second prompt ran";
}

RC_GTEST_PROP(Simulation, ConservesTokensOnVllm, ()) { conserve(ServingEngine::vllm); }
RC_GTEST_PROP(Simulation, ConservesTokensOnSglang, ()) { conserve(ServingEngine::sglang); }
RC_GTEST_PROP(Simulation, ConservesTokensOnTrtllm, ()) { conserve(ServingEngine::trtllm); }
RC_GTEST_PROP(Simulation, ConservesTokensOnLlamaCpp, ()) { conserve(ServingEngine::llama_cpp); }

AggregatedCase plain_case(const PriceTables& prices, int64_t users) {
  AggregatedCase served;
  served.setup.launch =
      make_launch(ServingEngine::vllm, {.token_budget = 8192, .max_running = 256, .async_scheduling = true});
  served.setup.prices = &prices;
  served.path = {.front_ms = 20, .back_ms = 15};
  served.workload = {.input = {500, 0.8}, .output = {60, 0.8}, .arrivals = ClosedLoop{.users = users}};
  return served;
}

TEST(Simulation, OneUserPaysTheStaticPriceAndTheRequestPath) {
  const PriceTables prices = linear_prices();
  AggregatedCase served = plain_case(prices, 1);
  served.workload.input.ratio = served.workload.output.ratio = 1;
  const SimulationResult r = simulate(served);
  const double prompt = prices.context.at(500) + prompt_attention_ms(prices, 1, 500);
  EXPECT_NEAR(r.ttft_ms.mean, 20 + prompt + 15, 1e-9);
  EXPECT_NEAR(r.ttft_ms.p99, r.ttft_ms.p50, 1e-9);
  double decode = 0;
  for (int token = 1; token < 60; ++token) decode += prices.decode.at(1, 500 + token);
  EXPECT_NEAR(r.tpot_ms.mean, decode / 59, 1e-9);
}

TEST(Simulation, WithoutBatchingMoreUsersNeverShortenTheMeanTtft) {
  const PriceTables prices = linear_prices();
  double last = 0;
  for (const int64_t users : {1, 2, 3, 5, 8, 13}) {
    AggregatedCase served = plain_case(prices, users);
    served.setup.launch.max_running = 1;
    served.workload.input.ratio = served.workload.output.ratio = 1;
    const double ttft = simulate(served).ttft_ms.mean;
    EXPECT_GE(ttft, last) << users;
    last = ttft;
  }
}

TEST(Simulation, KeepsLittlesLaw) {
  const PriceTables prices = linear_prices();
  AggregatedCase served = plain_case(prices, 1);
  served.workload.arrivals = PoissonArrivals{.requests_per_s = 12, .requests = 4000};
  Books books;
  const SimulationResult r = simulate(served, {}, &books);
  // In the engine on average = arrival rate * mean time there. Requests that arrive inside a step are counted from its
  // end.
  EXPECT_NEAR(r.mean_running + r.mean_waiting, books.in_system_ms / r.duration_ms,
              0.05 * (r.mean_running + 1));
  EXPECT_FALSE(r.saturation);
}

TEST(Simulation, SaysByHowMuchAnOfferedRateCannotBeServed) {
  const PriceTables prices = linear_prices();
  AggregatedCase served = plain_case(prices, 1);
  served.setup.launch.max_running = 8;
  served.workload.arrivals = PoissonArrivals{.requests_per_s = 1000, .requests = 4000};
  const SimulationResult r = simulate(served);
  ASSERT_TRUE(r.saturation);
  EXPECT_NEAR(r.saturation->offered_per_s, 1000, 60);
  // What it serves while the queue is never empty is what a closed loop of many users gets.
  served.workload.arrivals = ClosedLoop{.users = 64, .requests = 4000};
  EXPECT_NEAR(r.saturation->served_per_s, simulate(served).requests_per_s(), 10);
}

TEST(Simulation, OfRequestsThatComeTogetherOrFarApartIsNotSaturated) {
  const PriceTables prices = linear_prices();
  AggregatedCase served = plain_case(prices, 1);
  for (const double rate : {1e-3, 1e9}) {
    served.workload.arrivals = PoissonArrivals{.requests_per_s = rate, .requests = 2};
    EXPECT_FALSE(simulate(served).saturation) << rate;
  }
}

TEST(Simulation, StopsAtItsLimitsAndSaysSo) {
  const PriceTables prices = linear_prices();
  const AggregatedCase served = plain_case(prices, 4);
  EXPECT_EQ(simulate(served, {.most_iterations = 10}).stopped_early, "stopped after 10 events");
  EXPECT_EQ(simulate(served, {.most_simulated_ms = 1000}).stopped_early,
            "stopped after 1 s of simulated time");
  EXPECT_GT(simulate(served, {.most_iterations = 10}).unfinished, 0);
  AggregatedCase crowd = plain_case(prices, 100);
  crowd.setup.launch.max_running = 1;
  EXPECT_EQ(simulate(crowd, {.most_waiting = 50}).stopped_early,
            "stopped with more than 50 requests waiting");
}

TEST(Simulation, RefusesWhatMakesNoSense) {
  const PriceTables prices = linear_prices();
  const auto message = [&](auto change) -> std::string {
    AggregatedCase served = plain_case(prices, 4);
    change(served);
    try {
      simulate(served);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  using testing::HasSubstr;
  EXPECT_THAT(message([](auto& c) { c.workload.arrivals = ClosedLoop{.users = 0}; }), HasSubstr("0 users"));
  EXPECT_THAT(message([](auto& c) { c.workload.arrivals = PoissonArrivals{.requests_per_s = -1}; }),
              HasSubstr("arrival rate is -1"));
  EXPECT_THAT(message([](auto& c) { c.workload.output.longest = 0; }),
              HasSubstr("at least one output token"));
  EXPECT_THAT(message([](auto& c) { c.setup.kv_capacity_tokens = 300; }),
              HasSubstr("the KV cache holds 300"));
  EXPECT_THAT(message([](auto& c) { c.attention_dp = 0; }), HasSubstr("attention_dp is 0"));
}

TEST(Simulation, RefusesPoolsWithoutWorkersByName) {
  const PriceTables prices = linear_prices();
  DisaggregatedCase served{.prefill = {1, 1, &prices}, .decode = {0, 1, &prices}};
  served.workload = plain_case(prices, 4).workload;
  EXPECT_THAT([&] { simulate(served); },
              testing::ThrowsMessage<UsageError>(testing::HasSubstr("number of decode workers")));
}

TEST(Simulation, DisaggregatedPoolsConserveTokens) {
  const PriceTables prices = linear_prices();
  DisaggregatedCase served{
      .prefill = {2, 2, &prices}, .decode = {3, 2, &prices}, .path = {.front_ms = 20, .back_ms = 20}};
  served.workload = plain_case(prices, 24).workload;
  const SimulationResult r = simulate(served);
  EXPECT_EQ(r.requests, 240);
  EXPECT_EQ(r.unfinished, 0);
  EXPECT_GT(r.prompt_steps, 0);
  EXPECT_GT(r.tpot_ms.mean, prices.decode.at(1, 400));
}

TEST(Simulation, FullKvCachesQueueAndAreSaid) {
  const PriceTables prices = linear_prices();
  AggregatedCase served = plain_case(prices, 32);
  const double free = simulate(served).ttft_ms.mean;
  served.setup.kv_capacity_tokens = 2000;
  const SimulationResult r = simulate(served);
  EXPECT_TRUE(r.kv_bound);
  EXPECT_GT(r.ttft_ms.mean, 2 * free);
  EXPECT_EQ(confidence_of(served, r).letter, 'D');
}

TEST(ClosedForm, IsTheStaticPriceForOneUser) {
  const PriceTables prices = linear_prices();
  const AggregatedCase served = plain_case(prices, 1);
  const ClosedFormTimes formula = closed_form(served);
  const double prompt = prices.context.at(450) + prompt_attention_ms(prices, 1, 450);
  const double decode = prices.decode.at(1, 450 + 27);
  EXPECT_NEAR(formula.tpot_ms, decode + (prompt - prices.context.at(1)) / 54, 1e-9);
  EXPECT_GT(formula.ttft_ms, 20 + prompt + 15);
  EXPECT_LT(formula.ttft_ms, 20 + 1.5 * prompt + decode + 15);
  double last = 0;
  for (const int64_t users : {1, 4, 16, 64}) {
    const double ttft = closed_form(plain_case(prices, users)).ttft_ms;
    EXPECT_GT(ttft, last) << users;
    last = ttft;
  }
}

TEST(LlamaCpp, SlotsWithOneKvCacheEachAreDecodedInRunsOfNeighbours) {
  const PriceTables prices = linear_prices();
  AggregatedCase served = plain_case(prices, 4);
  served.setup.launch = make_launch(ServingEngine::llama_cpp, {.max_running = 4, .unified_kv = false});
  const SimulationResult split = simulate(served);
  served.setup.launch.unified_kv = true;
  const SimulationResult unified = simulate(served);
  EXPECT_EQ(split.requests, 40);
  EXPECT_EQ(unified.requests, 40);
  EXPECT_GT(split.tpot_ms.mean, unified.tpot_ms.mean);  // a gap between slots costs a second pass
}

TEST(LlamaCpp, PromptsThatEndTogetherShareTheirFirstTokenTime) {
  const PriceTables prices = linear_prices();
  AggregatedCase served = plain_case(prices, 4);
  served.setup.launch = make_launch(ServingEngine::llama_cpp, {.max_running = 4, .unified_kv = false});
  served.workload.input.ratio = served.workload.output.ratio = 1;
  served.workload.arrivals = ClosedLoop{.users = 4, .requests = 4};
  const Summary ttft = simulate(served).ttft_ms;
  EXPECT_DOUBLE_EQ(ttft.p50, ttft.p99);  // 4 * 500 tokens fit one batch of 2048, run as four micro-batches
  const double pass = prices.context.at(512) + 4 * chunk_attention_ms(prices, {128, 128});
  EXPECT_GT(ttft.p50, 3 * pass);
}

TEST(LlamaCpp, TakesUnusedSlotsFromTheLastOneThenTheLeastRecentlyUsed) {
  class Slots : public SimulationObserver {
   public:
    void ran(const Segment&) override {}
    void finished(const ServingRequest& r, double) override { of_request.emplace(r.id, r.slot); }
    std::map<int64_t, int32_t> of_request;
  } slots;
  const PriceTables prices = linear_prices();
  AggregatedCase served = plain_case(prices, 1);
  served.setup.launch = make_launch(ServingEngine::llama_cpp, {.max_running = 3, .unified_kv = false});
  served.workload.arrivals = ClosedLoop{.users = 1, .requests = 5};
  (void)simulate(served, {}, &slots);
  EXPECT_THAT(slots.of_request,
              testing::ElementsAre(testing::Pair(0, 2), testing::Pair(1, 1), testing::Pair(2, 0),
                                   testing::Pair(3, 2), testing::Pair(4, 1)));
}

TEST(LaunchParameters, OfAnotherEngineAreRefused) {
  EXPECT_THROW(make_launch(ServingEngine::vllm, {.recv_interval = 10}), UsageError);
  EXPECT_THROW(make_launch(ServingEngine::trtllm, {.async_scheduling = true}), UsageError);
  EXPECT_THROW(make_launch(ServingEngine::sglang, {.token_budget = 0}), UsageError);
  const Launch launch = make_launch(ServingEngine::sglang, {.recv_interval = 10});
  EXPECT_THAT(launch.given, testing::ElementsAre("recv_interval=10"));
  EXPECT_THAT(launch.assumed,
              testing::ElementsAre("token_budget=8192", "max_running=unlimited", "stream_interval=1"));
}

TEST(Distribution, FoldsIntoBinsWithoutLosingPercentiles) {
  Distribution exact, folded;
  for (int i = 0; i < 1000; ++i) exact.add(1 + i);
  for (int i = 0; i < 200000; ++i) folded.add(1 + i % 1000);
  EXPECT_TRUE(exact.summary().exact);
  EXPECT_FALSE(folded.summary().exact);
  EXPECT_DOUBLE_EQ(exact.summary().p50, 500.5);
  EXPECT_NEAR(folded.summary().p50, 500.5, 500.5 * Distribution::kBinWidth);
  EXPECT_NEAR(folded.summary().p99, 990, 990 * Distribution::kBinWidth);
  EXPECT_DOUBLE_EQ(folded.summary().mean, 500.5);
}

TEST(PriceTables, SurviveTheirText) {
  const PriceTables prices = linear_prices();
  EXPECT_EQ(parse_price_tables(price_tables_json(prices), "prices.json"), prices);
  EXPECT_THROW(parse_price_tables("{}", "prices.json"), Error);
  EXPECT_THROW(parse_price_tables("not JSON", "prices.json"), Error);
}

}  // namespace
}  // namespace perfatlas
