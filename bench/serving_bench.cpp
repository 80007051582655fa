// SPDX-License-Identifier: Apache-2.0
// How fast the serving simulation is: one prediction of each recorded case, and a long trace.
//   serving_bench [requests of the trace, default 1000000]
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <random>
#include <vector>

#include "bench/bench_main.h"
#include "perfatlas/serving/closed_form.h"
#include "perfatlas/serving/trace_file.h"
#include "perfatlas/serving/vectors_test.h"

namespace perfatlas {
namespace {

using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

/// The fastest of some repetitions, in microseconds.
template <class Run>
double fastest_us(Run run) {
  double best = 1e300;
  for (int i = 0; i < 15; ++i) {
    const auto start = Clock::now();
    run();
    best = std::min(best, microseconds_since(start));
  }
  return best;
}

void time_predictions() {
  const vectors::Json all = vectors::all();
  std::vector<double> simulated_us, formula_us;
  for (const vectors::Json& vector : all.at("measured_prices")) {
    if (vector.at("kind") != "agg") continue;
    const PriceTables prices = vectors::tables(all.at("grids"), vector.at("table"));
    const AggregatedCase served = vectors::aggregated(vector.at("par"), prices);
    simulated_us.push_back(fastest_us([&] { simulate(served); }));
    formula_us.push_back(fastest_us([&] { closed_form(served); }));
  }
  std::sort(simulated_us.begin(), simulated_us.end());
  std::sort(formula_us.begin(), formula_us.end());
  const size_t n = simulated_us.size();
  fmt::print(
      "{} recorded cases, tables warm: simulation median {:.1f} us, p90 {:.1f} us, most {:.1f} us; closed "
      "form "
      "median {:.2f} us\n",
      n, simulated_us[n / 2], simulated_us[n * 9 / 10], simulated_us.back(), formula_us[n / 2]);
}

std::string write_trace(const TemporaryFolder& folder, int64_t requests) {
  const std::string path = folder / "trace.jsonl";
  std::mt19937 random(1);
  AtomicFile file(path);
  for (int64_t i = 0; i < requests; ++i)
    file.write(fmt::format(
        "{{\"timestamp\": {}, \"input_length\": {}, \"output_length\": {}, \"hash_ids\": [{}, {}, {}]}}\n",
        i * 100, 200 + random() % 4000, 20 + random() % 400, i, i + 1, i + 2));
  file.commit();
  return path;
}

void time_trace(int64_t requests) {
  const vectors::Json all = vectors::all();
  const vectors::Json& vector = all.at("measured_prices").at(0);
  const PriceTables prices = vectors::tables(all.at("grids"), vector.at("table"));
  AggregatedCase served = vectors::aggregated(vector.at("par"), prices);
  const TemporaryFolder folder;
  const std::string path = write_trace(folder, requests);
  const auto start = Clock::now();
  served.workload.arrivals = open_trace(path);
  const SimulationResult result = simulate(served);
  const double seconds = microseconds_since(start) / 1e6;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "trace of {} requests: {:.2f} s, {} steps in {} iterations, most waiting {}, busy {:.0f} %, peak "
      "memory {} MB\n",
      result.requests, seconds, result.engine_steps, result.iterations, result.most_waiting,
      100 * result.busy_share, usage.ru_maxrss / 1024);
}

void run(const BenchArguments& arguments) {
  const int64_t requests = arguments.size() > 0 ? arguments.number(0) : 1'000'000;
  time_predictions();
  time_trace(requests);
}

}  // namespace
}  // namespace perfatlas

int main(int argc, char** argv) {
  return perfatlas::bench_main({"serving_bench [REQUESTS]", argc, argv}, perfatlas::run);
}
