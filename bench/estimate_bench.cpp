// SPDX-License-Identifier: Apache-2.0
// What one engine step and one row of estimates cost once everything is bound. Needs PERFATLAS_SYSTEMS.
#include <benchmark/benchmark.h>

#include <cstdlib>

#include "bench/bench_main.h"
#include "perfatlas/estimate/estimate.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas::estimate {
namespace {

/// Throws UsageError.
std::string source() {
  const char* const path = std::getenv("PERFATLAS_SYSTEMS");
  if (path == nullptr)
    throw UsageError("set PERFATLAS_SYSTEMS to a wheel of published tables or a folder of systems");
  return path;
}

struct Opened {
  OpRegistry ops = all_ops();
  SystemsRoot root{source(), ops};
  Session session{root, {}};
};

Opened& opened() {
  static Opened opened;
  return opened;
}

EstimateRequest request_of(const char* model, const Parallel& parallel) {
  EstimateRequest r;
  r.model = model;
  r.system = "h200_sxm";
  r.workload = {.isl = 4000, .osl = 1000};
  r.worker.parallel = parallel;
  r.worker.batch = 32;
  r.breakdown = false;
  return r;
}

EstimateRequest dense() { return request_of("Qwen/Qwen3-32B", {.tp = 4}); }
EstimateRequest mixture() {
  return request_of("Qwen/Qwen3-235B-A22B-FP8", {.tp = 8, .moe_tp = 1, .moe_ep = 8});
}

std::shared_ptr<const Worker> worker_of(const EstimateRequest& r) {
  WorkerQuestion q;
  q.model = r.model;
  q.system = r.system;
  q.parallel = r.worker.parallel;
  return opened().session.worker(q);
}

template <EstimateRequest (*kRequest)()>
void decode_step(benchmark::State& state) {
  const auto worker = worker_of(kRequest());
  int64_t s = 4000;
  for (auto _ : state)
    benchmark::DoNotOptimize(worker->generation_step(32, s = 4000 + (s + 7) % 900).latency_ms);
}

template <EstimateRequest (*kRequest)()>
void mixed_step(benchmark::State& state) {
  const auto worker = worker_of(kRequest());
  int64_t g = 1;
  for (auto _ : state)
    benchmark::DoNotOptimize(worker->mixed_step({4000, g = 1 + (g + 7) % 60, 4000, 1000, 0}).latency_ms);
}

template <EstimateRequest (*kRequest)()>
void prefill_step(benchmark::State& state) {
  const auto worker = worker_of(kRequest());
  int64_t s = 4000;
  for (auto _ : state)
    benchmark::DoNotOptimize(worker->context_step(1, s = 3000 + (s + 7) % 900, 0).latency_ms);
}

template <EstimateRequest (*kRequest)()>
void aggregated_row(benchmark::State& state) {
  EstimateRequest r = kRequest();
  for (auto _ : state) {
    r.worker.batch = 8 + (*r.worker.batch + 1) % 64;
    benchmark::DoNotOptimize(run_estimate(opened().session, r).figures.ttft_ms);
  }
}

template <EstimateRequest (*kRequest)()>
void static_row(benchmark::State& state) {
  EstimateRequest r = kRequest();
  r.mode = ServingMode::static_both;
  for (auto _ : state) {
    r.worker.batch = 8 + (*r.worker.batch + 1) % 64;
    benchmark::DoNotOptimize(run_estimate(opened().session, r).figures.ttft_ms);
  }
}

BENCHMARK(decode_step<dense>);
BENCHMARK(mixed_step<dense>);
BENCHMARK(prefill_step<dense>);
BENCHMARK(aggregated_row<dense>);
BENCHMARK(static_row<dense>);
BENCHMARK(decode_step<mixture>);
BENCHMARK(mixed_step<mixture>);
BENCHMARK(prefill_step<mixture>);
BENCHMARK(aggregated_row<mixture>);
BENCHMARK(static_row<mixture>);

void run(const BenchArguments& arguments) {
  if (arguments.size() > 0) arguments.refuse();
  (void)opened();  // what is wrong with the tables is said before anything is timed
  benchmark::RunSpecifiedBenchmarks();
}

}  // namespace
}  // namespace perfatlas::estimate

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  return perfatlas::bench_main({"estimate_bench [--benchmark_filter=REGEX ...]", argc, argv},
                               perfatlas::estimate::run);
}
