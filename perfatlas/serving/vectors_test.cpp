// SPDX-License-Identifier: Apache-2.0
// Results of an independent simulator, given its price tables: tests/serving/vectors.json.
#include "perfatlas/serving/vectors_test.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace perfatlas {
namespace {

using namespace vectors;  // the recorded cases

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

void expect_near(double actual, double expected, double tolerance, const char* what) {
  EXPECT_NEAR(actual, expected, tolerance * std::abs(expected)) << what;
}

/// The recorded medians and 90th percentiles are order statistics: element n/2 and 9(n-1)/10 of the sorted values.
/// The recorded median adds the stream interval in median decode steps, its mean in mean ones.
class SortedTimes : public SimulationObserver {
 public:
  explicit SortedTimes(double back_ms) : back_ms_(back_ms) {}
  void finished(const ServingRequest& r, double done_ms) override {
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
  const Json all = vectors::all();
  const PriceTables prices = synthetic_tables(all.at("grids"));
  ASSERT_EQ(all.at("synthetic").size(), 10u);
  for (const Json& vector : all.at("synthetic")) {
    SCOPED_TRACE(vector.at("name").get<std::string>());
    const AggregatedCase served = aggregated(vector.at("par"), prices);
    // Reserved output: half for engines that may evict, all for the others; a vector that says otherwise is unusual.
    EXPECT_EQ(served.setup.launch.reserved_output_share(),
              served.setup.launch.engine == ServingEngine::trtllm ? 1.0 : 0.5);
    SortedTimes times(served.path.back_ms);
    expect_matches(simulate(served, {}, &times), times, vector.at("expected"), 1e-9);
  }
}

TEST(ServingVectors, MeasuredPricesGiveTheRecordedResults) {
  const Json all = vectors::all();
  ASSERT_EQ(all.at("measured_prices").size(), 30u);
  for (const Json& vector : all.at("measured_prices")) {
    if (vector.at("kind") != "agg") continue;
    SCOPED_TRACE(vector.at("name").get<std::string>());
    const PriceTables prices = tables(all.at("grids"), vector.at("table"));
    AggregatedCase served = aggregated(vector.at("par"), prices);
    const double extra_steps = vector.at("stream_extra_steps");
    if (served.setup.launch.engine == ServingEngine::sglang)
      served.setup.launch.stream_interval = 1 + int64_t(extra_steps / kStreamIntervalShare.value);
    SortedTimes times(served.path.back_ms);
    expect_matches(simulate(served, {}, &times), times, vector.at("expected"), 1e-6);
  }
}

/// The recorded runs of pools end after this many requests.
constexpr int64_t kMostPoolRequests = 40000;

Workload pool_load(const Json& par) {
  Workload workload = closed_loop(par);
  auto& loop = std::get<ClosedLoop>(workload.arrivals);
  loop.requests = std::min(loop.requests.value(), kMostPoolRequests);
  return workload;
}

/// How a decode worker, or a rank of it, is chosen among equally loaded ones is not recorded, and another choice moves
/// every later event. The case in which no two requests ever share a decode worker must agree exactly.
TEST(ServingVectors, DisaggregatedPoolsGiveTheRecordedResults) {
  const Json all = vectors::all();
  int compared = 0;
  for (const Json& vector : all.at("measured_prices")) {
    if (vector.at("kind") != "disagg") continue;
    const auto name = vector.at("name").get<std::string>();
    SCOPED_TRACE(name);
    const Json& par = vector.at("par");
    const PriceTables prefill = tables(all.at("grids"), vector.at("table_prefill"));
    const PriceTables decode = tables(all.at("grids"), vector.at("table_decode"));
    const DisaggregatedCase served{.prefill = {par.at("nP"), par.at("dpP"), &prefill},
                                   .decode = {par.at("nD"), par.at("dpD"), &decode},
                                   .prefill_budget_tokens = par.at("Bp"),
                                   .path = {.front_ms = par.at("front"), .back_ms = par.at("back")},
                                   .workload = pool_load(par)};
    SortedTimes times(served.path.back_ms);
    const SimulationResult result = simulate(served, {}, &times);
    if (par.at("N") <= par.at("nD")) {
      expect_matches(result, times, vector.at("expected"), 1e-6, true);
      ++compared;
    } else {
      expect_near(result.ttft_ms.mean, vector.at("expected").at("mean_ttft"), 0.005, "mean TTFT");
      expect_near(result.tpot_ms.mean, vector.at("expected").at("mean_tpot"), 0.001, "mean TPOT");
    }
  }
  EXPECT_EQ(compared, 1);
}

}  // namespace
}  // namespace perfatlas
