// SPDX-License-Identifier: Apache-2.0
// Results of an independent simulator, given its price tables: tests/serving/vectors.json.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "perfatlas/base/file.h"
#include "perfatlas/serving/constants.h"
#include "perfatlas/serving/simulation.h"

namespace perfatlas {
namespace {

using Json = nlohmann::json;

Json vectors() { return Json::parse(read_file(PERFATLAS_SERVING_VECTORS)); }

PriceAxis axis(const Json& grids, const char* name) {
  return PriceAxis(grids.at(name).get<std::vector<double>>());
}

PriceTables tables(const Json& grids, const Json& t) {
  const auto prices = [&](const char* name) { return t.at(name).get<std::vector<double>>(); };
  return {.identity = "vector",
          .context = {axis(grids, "T"), prices("S")},
          .prompt_attention = {axis(grids, "M"), axis(grids, "SB"), prices("AB")},
          .chunk_attention = {axis(grids, "PN"), axis(grids, "PP"), prices("AP")},
          .decode = {axis(grids, "G"), axis(grids, "K"), prices("D")},
          .decode_attention = {axis(grids, "G"), axis(grids, "K"), prices("GA")},
          .fused_projection_ms = t.at("gfix").get<double>()};
}

template <class Price>
std::vector<double> sampled(const Json& grids, const char* first, const char* second, Price price) {
  std::vector<double> all;
  for (const double a : grids.at(first))
    for (const double b : grids.at(second)) all.push_back(price(a, b));
  return all;
}

/// The formulas behind the synthetic vectors.
PriceTables synthetic_tables(const Json& grids) {
  std::vector<double> context;
  for (const double t : grids.at("T")) context.push_back(1 + 0.01 * t);
  const auto attention = [](double g, double k) { return 0.1 + 1e-6 * g * k; };
  return {
      .identity = "synthetic",
      .context = {axis(grids, "T"), context},
      .prompt_attention = {axis(grids, "M"), axis(grids, "SB"),
                           sampled(grids, "M", "SB", [](double m, double s) { return m * 0.5e-6 * s * s; })},
      .chunk_attention = {axis(grids, "PN"), axis(grids, "PP"),
                          sampled(grids, "PN", "PP",
                                  [](double n, double p) { return 1e-6 * n * (p + n / 2); })},
      .decode = {axis(grids, "G"), axis(grids, "K"),
                 sampled(grids, "G", "K",
                         [&](double g, double k) { return 1 + 0.01 * g + attention(g, k); })},
      .decode_attention = {axis(grids, "G"), axis(grids, "K"), sampled(grids, "G", "K", attention)}};
}

Workload closed_loop(const Json& par) {
  const double ratio = par.at("r");
  ClosedLoop loop{.users = par.at("N")};
  if (par.contains("nreq")) loop.requests = par.at("nreq").get<int64_t>();
  if (par.contains("waves")) loop.requests = loop.users * par.at("waves").get<int64_t>();
  return {.input = {par.at("isl"), ratio},
          .output = {par.at("osl"), ratio},
          .arrivals = loop,
          .seed = par.at("seed").get<uint32_t>()};
}

AggregatedCase aggregated(const Json& par, const PriceTables& prices) {
  const std::array engines{Engine::vllm, Engine::sglang, Engine::trtllm};
  AggregatedCase served;
  served.setup.launch = make_launch(engines.at(par.at("engine").get<size_t>()), {});
  served.setup.launch.token_budget = par.at("B").get<int64_t>();
  served.setup.launch.max_running = par.at("maxrun").get<int64_t>();
  served.setup.launch.recv_interval = par.at("recv").get<int64_t>();
  served.setup.launch.batch_wait_iters = par.at("wi").get<int64_t>();
  served.setup.kv_capacity_tokens = par.at("kvcap");
  served.setup.prices = &prices;
  served.attention_dp = par.at("ranks");
  served.step_overhead_ms = par.at("o_dec");
  served.path = {.front_ms = par.at("front"), .back_ms = par.at("back")};
  served.workload = closed_loop(par);
  return served;
}

void expect_near(double actual, double expected, double tolerance, const char* what) {
  EXPECT_NEAR(actual, expected, tolerance * std::abs(expected)) << what;
}

/// The recorded medians and 90th percentiles are order statistics: element n/2 and 9(n-1)/10 of the sorted values.
/// The recorded median adds the stream interval in median decode steps, its mean in mean ones.
class SortedTimes : public SimulationObserver {
 public:
  explicit SortedTimes(double back_ms) : back_ms_(back_ms) {}
  void finished(const Request& r, double done_ms) override {
    ttft_ms_.push_back(r.first_ms - r.send_ms + back_ms_);
    if (r.output_tokens > 1) tpot_ms_.push_back((done_ms - r.first_ms) / double(r.output_tokens - 1));
  }
  double median_ttft() { return at(ttft_ms_, ttft_ms_.size() / 2); }
  double p90_ttft() { return at(ttft_ms_, (ttft_ms_.size() - 1) * 9 / 10); }
  double median_tpot() { return at(tpot_ms_, tpot_ms_.size() / 2); }

 private:
  static double at(std::vector<double>& values, size_t index) {
    std::sort(values.begin(), values.end());
    return values.at(index);
  }

  double back_ms_;
  std::vector<double> ttft_ms_, tpot_ms_;
};

void expect_matches(const SimulationResult& r, SortedTimes& times, const Json& expected, double tolerance,
                    bool disaggregated = false) {
  expect_near(r.ttft_ms.mean, expected.at("mean_ttft"), tolerance, "mean TTFT");
  expect_near(times.median_ttft() + r.stream_wait_ms * times.median_tpot() / r.tpot_ms.mean,
              expected.at("med_ttft"), tolerance, "median TTFT");
  if (expected.contains("p90_ttft"))
    expect_near(times.p90_ttft(), expected.at("p90_ttft"), tolerance, "p90 TTFT");
  expect_near(r.tpot_ms.mean, expected.at("mean_tpot"), tolerance, "mean TPOT");
  if (expected.contains("med_tpot"))
    expect_near(times.median_tpot(), expected.at("med_tpot"), tolerance, "median TPOT");
  // Of disaggregated pools the recorded steps are those of the decode workers.
  EXPECT_EQ(r.engine_steps - (disaggregated ? r.prompt_steps : 0), expected.at("steps").get<double>());
  EXPECT_EQ(r.prompt_steps, expected.at("presteps").get<double>());
  expect_near(r.duration_ms, expected.at("dur"), tolerance, "end");
}

TEST(ServingVectors, SyntheticPricesGiveTheExactResults) {
  const Json all = vectors();
  const PriceTables prices = synthetic_tables(all.at("grids"));
  ASSERT_EQ(all.at("synthetic").size(), 10u);
  for (const Json& vector : all.at("synthetic")) {
    SCOPED_TRACE(vector.at("name").get<std::string>());
    const AggregatedCase served = aggregated(vector.at("par"), prices);
    // Reserved output: half for engines that may evict, all for the others; a vector that says otherwise is unusual.
    EXPECT_EQ(served.setup.launch.reserved_output_share(),
              served.setup.launch.engine == Engine::trtllm ? 1.0 : 0.5);
    SortedTimes times(served.path.back_ms);
    expect_matches(simulate(served, {}, &times), times, vector.at("expected"), 1e-9);
  }
}

TEST(ServingVectors, MeasuredPricesGiveTheRecordedResults) {
  const Json all = vectors();
  ASSERT_EQ(all.at("measured_prices").size(), 30u);
  for (const Json& vector : all.at("measured_prices")) {
    if (vector.at("kind") != "agg") continue;
    SCOPED_TRACE(vector.at("name").get<std::string>());
    const PriceTables prices = tables(all.at("grids"), vector.at("table"));
    AggregatedCase served = aggregated(vector.at("par"), prices);
    const double extra_steps = vector.at("stream_extra_steps");
    if (served.setup.launch.engine == Engine::sglang)
      served.setup.launch.stream_interval = 1 + int64_t(extra_steps / kStreamIntervalShare.value);
    SortedTimes times(served.path.back_ms);
    expect_matches(simulate(served, {}, &times), times, vector.at("expected"), 1e-6);
  }
}

}  // namespace
}  // namespace perfatlas
