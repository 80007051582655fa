// SPDX-License-Identifier: Apache-2.0
// Prices and cases for the tests of this folder.
#pragma once

#include <rapidcheck.h>

#include <string>
#include <vector>

#include "perfatlas/serving/simulation.h"

namespace perfatlas {

/// Formulas sampled on coarse grids. A decode step grows by `growth_ms` per KV token.
inline PriceTables linear_prices(double growth_ms = 1e-6) {
  const std::vector<double> tokens{1, 64, 1024, 8192, 40960}, counts{1, 4, 32}, lengths{64, 512, 2048, 8192};
  const std::vector<double> chunks{128, 1024, 8192}, cached{0, 1024, 8192}, sequences{1, 8, 64}, kv{1, 16384};
  const auto sampled = [](const auto& first, const auto& second, auto price) {
    std::vector<double> all;
    for (const double a : first)
      for (const double b : second) all.push_back(price(a, b));
    return PriceSurface(PriceAxis(first), PriceAxis(second), all);
  };
  std::vector<double> context;
  for (const double t : tokens) context.push_back(1 + 0.01 * t);
  const auto attention = [growth_ms](double g, double k) { return 0.1 + growth_ms * g * k; };
  return {
      .identity = "linear",
      .context = {PriceAxis(tokens), context},
      .prompt_attention = sampled(counts, lengths, [](double m, double s) { return m * 0.5e-6 * s * s; }),
      .chunk_attention = sampled(chunks, cached, [](double n, double p) { return 1e-6 * n * (p + n / 2); }),
      .decode = sampled(sequences, kv, [&](double g, double k) { return 1 + 0.01 * g + attention(g, k); }),
      .decode_attention = sampled(sequences, kv, attention)};
}

/// Every wish of a random case comes from this.
inline AggregatedCase random_case(const PriceTables& prices, ServingEngine engine) {
  AggregatedCase served;
  served.setup.launch = make_launch(engine, {});
  served.setup.launch.token_budget = *rc::gen::element<int64_t>(256, 700, 2048, 8192);
  served.setup.launch.max_running = *rc::gen::element<int64_t>(1, 3, 100);
  if (engine == ServingEngine::sglang)
    served.setup.launch.recv_interval = *rc::gen::element<int64_t>(1, 7, 30);
  if (engine == ServingEngine::trtllm)
    served.setup.launch.batch_wait_iters = *rc::gen::element<int64_t>(0, 0, 5, 20);
  served.setup.prices = &prices;
  if (engine != ServingEngine::llama_cpp) served.attention_dp = *rc::gen::element<int64_t>(1, 1, 3);
  if (*rc::gen::arbitrary<bool>()) served.setup.kv_capacity_tokens = *rc::gen::inRange(1500, 4000);
  served.step_overhead_ms = *rc::gen::element(0.0, 0.7);
  served.path = {*rc::gen::element(0.0, 13.0), *rc::gen::element(0.0, 0.003), *rc::gen::element(0.0, 9.0)};
  served.workload.input = {*rc::gen::inRange<int64_t>(1, 1000), *rc::gen::element(0.5, 0.8, 1.0)};
  served.workload.output = {*rc::gen::inRange<int64_t>(1, 120), *rc::gen::element(0.5, 0.8, 1.0)};
  const int64_t requests = *rc::gen::inRange<int64_t>(1, 60);
  if (*rc::gen::inRange(0, 3) > 0)
    served.workload.arrivals = ClosedLoop{.users = *rc::gen::inRange<int64_t>(1, 20), .requests = requests};
  else
    served.workload.arrivals = PoissonArrivals{*rc::gen::element(1.0, 20.0, 300.0), requests};
  served.workload.seed = *rc::gen::arbitrary<uint32_t>();
  return served;
}

}  // namespace perfatlas
