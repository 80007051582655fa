// SPDX-License-Identifier: Apache-2.0
// How long a query takes, on a GEMM-shaped table of 100,000 rows (484 weight shapes x 207 token counts) and on an
// attention grid. The latencies in the tables are made up; only the time of asking is measured.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "bench/bench_main.h"
#include "perfatlas/db/answer_text.h"
#include "perfatlas/db/database.h"
#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/store/csv.h"
#include "perfatlas/store/parquet.h"

namespace perfatlas {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kFeatures[] = {32,   64,   128,  256,  512,  768,  1024,  1536,  2048,  2560,  3072,
                                 3584, 4096, 5120, 6144, 7168, 8192, 10240, 12288, 16384, 51200, 65536};

const OpType& gemm_type() {
  static const OpType type = make_op_type<Gemm>();
  return type;
}

/// Batch, sequence and heads, as attention has them.
struct BenchGrid {
  int64_t heads = 1, batch = 1, s = 1;
  bool operator==(const BenchGrid&) const = default;
  static constexpr OpInfo info{
      .id = "grid", .table = "grid_perf", .op_name = "grid", .doc = "attention-shaped", .sol = "s"};
  static constexpr auto fields = std::tuple{field("heads", &BenchGrid::heads, Role::axis, "heads"),
                                            field("batch", &BenchGrid::batch, Role::axis, "batch"),
                                            field("s", &BenchGrid::s, Role::axis, "sequence")};
  static constexpr auto axes =
      std::array{axis<&BenchGrid::heads, BenchGrid>("heads"), axis<&BenchGrid::batch, BenchGrid>("batch"),
                 axis<&BenchGrid::s, BenchGrid>("s")};
  static constexpr TableLayout layout{};
  std::string_view why_invalid() const { return {}; }
  Work work() const { return {.kv_bytes_read = 256.0 * double(heads * batch * s)}; }
};

const SystemSpec& made_up_system() {
  static const SystemSpec spec = [] {
    SystemSpec made{.system = "bench", .device = "none", .kind = "cpu", .probed_at = "2026-01-01T00:00:00Z"};
    made.memory_bandwidth.measured = 100e9;
    made.llc_bandwidth.measured = 400e9;
    made.flops[DType::bf16].measured = 2e12;
    return made;
  }();
  return spec;
}

/// The speed of light at an efficiency that varies from case to case.
double made_up_latency_ms(const Case& c) {
  const double swing = 0.2 * std::sin(double(case_id(c) % 1000));
  return sol_ms(*c.op, c.values, {&made_up_system()}) / (0.5 + swing);
}

std::vector<Case> gemm_cases() {
  std::vector<Case> cases;
  for (const int64_t n : kFeatures)
    for (const int64_t k : kFeatures)
      for (int64_t i = 0; i < 207; ++i)
        cases.push_back(
            make_case(gemm_type(), Gemm{.m = i < 100 ? i + 1 : 100 + (i - 99) * 64, .n = n, .k = k}));
  return cases;
}

std::vector<Row> gemm_rows() {
  std::vector<Row> rows;
  for (const Case& c : gemm_cases()) {
    Row& row = rows.emplace_back(Row{.c = c, .framework = "bench", .version = "1", .device = "none"});
    row.kernel_source = "made_up";
    row.measured = {made_up_latency_ms(c)};
    row.quality =
        RowQuality{.samples = 10, .latency_p10_ms = row.measured[0], .latency_p90_ms = row.measured[0]};
    row.quality->rel_ci95 = 0.01;
    row.quality->case_id = case_id(c);
    row.quality->run_id = "bench";
  }
  return rows;
}

Slice gemm_slice() {
  std::vector<SlicePoint> points;
  for (const Case& c : gemm_cases()) points.push_back({c.values, made_up_latency_ms(c), {}});
  return Slice(gemm_type(), points, {&made_up_system()});
}

FieldValues gemm_at(int64_t m, int64_t n, int64_t k) {
  return make_case(gemm_type(), Gemm{.m = m, .n = n, .k = k}).values;
}

void ask(benchmark::State& state, const Slice& slice, const FieldValues& values, EstimateKind kind) {
  if (slice.estimate(values).kind != kind) state.SkipWithError("answered in another way than meant");
  for (auto _ : state) benchmark::DoNotOptimize(slice.estimate(values));
}

const Slice& shared_gemm_slice() {
  static const Slice slice = gemm_slice();
  return slice;
}

void gemm_exact(benchmark::State& s) {
  ask(s, shared_gemm_slice(), gemm_at(64, 4096, 4096), EstimateKind::exact);
}
void gemm_between_tokens(benchmark::State& s) {
  ask(s, shared_gemm_slice(), gemm_at(1000, 4096, 4096), EstimateKind::interpolated);
}
void gemm_beyond_tokens(benchmark::State& s) {
  ask(s, shared_gemm_slice(), gemm_at(100'000, 4096, 4096), EstimateKind::held);
}
void gemm_unknown_shape(benchmark::State& s) {
  ask(s, shared_gemm_slice(), gemm_at(1000, 4000, 4500), EstimateKind::interpolated);
}
BENCHMARK(gemm_exact);
BENCHMARK(gemm_between_tokens);
BENCHMARK(gemm_beyond_tokens);
BENCHMARK(gemm_unknown_shape);

const OpType& grid_type() {
  static const OpType type = make_op_type<BenchGrid>();
  return type;
}

const Slice& shared_grid_slice() {
  static const Slice slice = [] {
    std::vector<SlicePoint> points;
    for (int64_t heads = 1; heads <= 96; heads += 5)
      for (int64_t batch = 1; batch <= 2048; batch *= 2)
        for (int64_t s = 1; s <= 131072; s *= 2) {
          if (batch * s > 1 << 22) continue;  // the corner that does not fit in memory
          const Case c = make_case(grid_type(), BenchGrid{heads, batch, s});
          points.push_back({c.values, made_up_latency_ms(c), {}});
        }
    return Slice(grid_type(), points, {&made_up_system()});
  }();
  return slice;
}

void ask_grid(benchmark::State& s, const BenchGrid& at, EstimateKind kind) {
  ask(s, shared_grid_slice(), make_case(grid_type(), at).values, kind);
}
void grid_exact(benchmark::State& s) { ask_grid(s, {16, 8, 4096}, EstimateKind::exact); }
void grid_between_three_axes(benchmark::State& s) { ask_grid(s, {18, 12, 5000}, EstimateKind::interpolated); }
void grid_beyond(benchmark::State& s) { ask_grid(s, {16, 8, 500'000}, EstimateKind::held); }
BENCHMARK(grid_exact);
BENCHMARK(grid_between_three_axes);
BENCHMARK(grid_beyond);

/// A data folder with the table of 100,000 rows in one format; removed at the end.
struct DataFolder {
  explicit DataFolder(TableFormat format) {
    std::string pattern = (fs::temp_directory_path() / "perfatlas-bench-XXXXXX").string();
    root = mkdtemp(pattern.data());
    const fs::path folder = root / "bench" / "made_up" / "1";
    fs::create_directories(folder);
    write_system_spec(made_up_system(), (root / "bench" / "system.json").string());
    const std::vector<Row> rows = gemm_rows();
    if (format == TableFormat::csv)
      write_csv_table(gemm_type(), rows, (folder / "gemm_perf.txt").string());
    else
      write_parquet_table(gemm_type(), rows, (folder / "gemm_perf.parquet").string());
  }
  ~DataFolder() { fs::remove_all(root); }
  fs::path root;
};

/// Everything that `perfatlas query` does after its start, with nothing read before.
void first_query(benchmark::State& state, TableFormat format) {
  std::string why_not;
  if (format == TableFormat::parquet && !parquet_available(why_not))
    return state.SkipWithError(why_not.c_str());
  const DataFolder data(format);
  const Case asked{&gemm_type(), gemm_at(1000, 4096, 4096)};
  for (auto _ : state)
    benchmark::DoNotOptimize(Database(data.root.string()).query(asked, {.system = "bench"}));
}
BENCHMARK_CAPTURE(first_query, csv_100k_rows, TableFormat::csv)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(first_query, parquet_100k_rows, TableFormat::parquet)->Unit(benchmark::kMillisecond);

/// The part of a first query after the file has been read.
void index_rows(benchmark::State& state) {
  const std::vector<Row> rows = gemm_rows();
  const FieldValues values = gemm_at(1000, 4096, 4096);
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<Row> copy = rows;
    state.ResumeTiming();
    OpTable table(gemm_type(), std::move(copy), &made_up_system());
    const TableSlice* slice = table.find(values, CacheState::serving);
    benchmark::DoNotOptimize(slice->relative_error(slice->estimate(values)));
  }
}
BENCHMARK(index_rows)->Unit(benchmark::kMillisecond);

/// A query with its texts, on an open table.
void next_query(benchmark::State& state) {
  const DataFolder data(TableFormat::csv);
  Database database(data.root.string());
  const Case asked{&gemm_type(), gemm_at(1000, 4096, 4096)};
  (void)database.query(asked, {.system = "bench"});
  for (auto _ : state) benchmark::DoNotOptimize(database.query(asked, {.system = "bench"}));
}
BENCHMARK(next_query);

void run(const BenchArguments& arguments) {
  if (arguments.size() > 0) arguments.refuse();
  benchmark::RunSpecifiedBenchmarks();
}

}  // namespace
}  // namespace perfatlas

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  return perfatlas::bench_main({"query_bench [--benchmark_filter=REGEX ...]", argc, argv}, perfatlas::run);
}
