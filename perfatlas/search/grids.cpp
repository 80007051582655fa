// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/grids.h"

#include <algorithm>
#include <set>

namespace perfatlas {
namespace {

struct Ladder {
  int first, last, step;
};

std::vector<int> walk(std::initializer_list<Ladder> ladders) {
  std::vector<int> values;
  for (const Ladder& ladder : ladders)
    for (int value = ladder.first; value <= ladder.last; value += ladder.step) values.push_back(value);
  return values;
}

int round_up(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

}  // namespace

std::vector<int> aggregated_batches(int largest) {
  std::vector<int> values = walk(
      {{1, 15, 1}, {16, 28, 4}, {32, 56, 8}, {64, 240, 16}, {256, 480, 32}, {512, 512, 1}, {768, 1024, 256}});
  std::erase_if(values, [&](int value) { return value > largest; });
  return values;
}

std::vector<int> decode_batches(int largest) {
  std::vector<int> values = walk({{1, 15, 1}, {16, 30, 2}, {32, 124, 4}, {128, 504, 8}, {512, 512, 1}});
  std::erase_if(values, [&](int value) { return value > largest; });
  if (largest > 512) values.push_back(largest);
  return values;
}

std::vector<int> context_token_budgets(const ContextTokenGrid& grid) {
  const int most = std::max(8192, 2 * grid.isl);
  int small_step = std::max(grid.stride, 512);
  int large_step = std::max({1024, small_step, most / 8});
  if (!grid.chunked_prefill) {
    large_step = round_up(large_step, grid.isl);
    small_step = std::max(grid.isl, small_step);
  }
  std::set<int> budgets{grid.isl, 2 * grid.isl};
  for (int at = 0;;) {
    at += at < 8192 ? small_step : large_step;
    if (at > most) break;
    budgets.insert(at);
  }
  return {budgets.begin(), budgets.end()};
}

std::vector<double> tpot_targets_ms() {
  std::vector<double> targets;
  for (int ms = 1; ms < 20; ++ms) targets.push_back(ms);
  for (int ms = 20; ms < 300; ms += 5) targets.push_back(ms);
  return targets;
}

std::vector<LatencyTarget> request_latency_targets(double request_ms, int osl,
                                                   std::optional<double> ttft_ms) {
  constexpr double kTtfts_ms[] = {300, 400, 500, 600, 800, 1000, 1200, 1400, 1600, 2000, 3000, 5000, 8000};
  constexpr double kShares[] = {0.1, 0.2, 0.3, 0.5, 0.7};
  std::set<double> ttfts(std::begin(kTtfts_ms), std::end(kTtfts_ms));
  // The fixed ladder says little about requests that are much shorter or longer than it.
  for (const double share : kShares) {
    const double at_ms = share * request_ms;
    if (at_ms < kTtfts_ms[0] || at_ms > std::end(kTtfts_ms)[-1]) ttfts.insert(at_ms);
  }
  ttfts.insert(ttft_ms.value_or(0.95 * request_ms));
  std::vector<LatencyTarget> targets;
  for (const double ttft : ttfts)
    if (ttft < request_ms) targets.push_back({ttft, (request_ms - ttft) / (osl - 1)});
  return targets;
}

std::vector<int> replica_sizes(int budget, bool wide) {
  std::vector<int> sizes = wide ? walk({{1, 512, 1}}) : walk({{1, 2, 1}, {4, 4, 1}, {8, 128, 8}});
  std::erase_if(sizes, [&](int gpus) { return gpus > budget; });
  return sizes;
}

}  // namespace perfatlas
