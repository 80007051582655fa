// SPDX-License-Identifier: Apache-2.0
// atlas_bench SOURCE [SYSTEM] [BACKEND]: time of a query of the engine "atlas" on published tables, interval included,
// by kind of question, and what loading a table costs. Medians over batches of 64 questions; slices are resolved.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "bench/bench_main.h"
#include "perfatlas/db/atlas_table.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas {
namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t kBatch = 64, kQuestions = 64 * 400;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

struct Question {
  uint32_t slice = 0;
  std::array<double, kMaxAxes> at{};
};

enum class Place { exact, inside, beyond };

/// A random cell of a random slice, half way to the next key, or at 1.5 times the last key of every axis.
std::vector<Question> questions(const AtlasTable& table, Place place) {
  std::mt19937_64 random(7);
  std::vector<uint32_t> grids;
  for (uint32_t i = 0; i < table.size(); ++i)
    if (table.model(i).grid() != nullptr) grids.push_back(i);
  std::vector<Question> made;
  while (!grids.empty() && made.size() < kQuestions) {
    Question q{.slice = grids[random() % grids.size()]};
    const OpSlice& slice = table.slice(q.slice);
    const MeasuredPoint& near = slice.points[random() % slice.points.size()];
    const AtlasCells& cells = table.model(q.slice).grid()->cells();
    for (size_t d = 0; d < table.op().axes.size(); ++d) {
      const std::span<const double> keys = cells.keys(d);
      const auto next = std::upper_bound(keys.begin(), keys.end(), double(near.at[d]));
      q.at[d] = double(near.at[d]);
      if (place == Place::inside && next != keys.end()) q.at[d] = std::floor((q.at[d] + *next) / 2);
      if (place == Place::beyond && keys.size() > 1) q.at[d] = std::floor(1.5 * keys.back());
    }
    made.push_back(q);
  }
  return made;
}

/// Nanoseconds per question: the median over batches.
double median_ns(const AtlasTable& table, const std::vector<Question>& asked) {
  if (asked.empty()) return std::nan("");  // scattered slices alone
  std::vector<double> batches;
  double sum = 0;
  for (size_t first = 0; first + kBatch <= asked.size(); first += kBatch) {
    const auto start = Clock::now();
    for (size_t i = first; i < first + kBatch; ++i)
      sum += table.model(asked[i].slice).estimate(asked[i].at.data(), table.bars()).half_width[1];
    batches.push_back(ms_since(start) * 1e6 / kBatch);
  }
  if (!(sum >= 0)) fmt::print("unreachable\n");  // the answers are used
  std::nth_element(batches.begin(), batches.begin() + std::ptrdiff_t(batches.size() / 2), batches.end());
  return batches[batches.size() / 2];
}

/// Questions per second of two threads over that of one.
double two_thread_gain(const AtlasTable& table, const std::vector<Question>& asked) {
  const auto run = [&] {
    for (int pass = 0; pass < 40; ++pass) median_ns(table, asked);
  };
  const auto one = Clock::now();
  run();
  const double single = ms_since(one);
  const auto two = Clock::now();
  std::thread other(run);
  run();
  other.join();
  return 2 * single / ms_since(two);
}

struct Load {
  double rows_ms = 0, split_ms = 0, models_ms = 0, calibrated_ms = 0;
};

void bench_op(const SystemsRoot& root, const OpType& op, const TableRequest& request, Load& total) {
  auto start = Clock::now();
  const auto rows = root.table_rows(op, request);
  const double rows_ms = ms_since(start);
  if (rows->empty()) return;
  start = Clock::now();
  std::vector<OpSlice> slices = slices_of(*rows, root.system(request.system));
  const double split_ms = ms_since(start);
  start = Clock::now();
  const AtlasTable table(op, slices);
  const double calibrated_ms = ms_since(start);
  start = Clock::now();
  const AtlasTable again(op, std::move(slices), table.calibration());
  again.make_models(std::thread::hardware_concurrency());
  const double models_ms = ms_since(start);
  total.rows_ms += rows_ms;
  total.split_ms += split_ms;
  total.models_ms += models_ms;
  total.calibrated_ms += calibrated_ms;
  const auto exact = questions(table, Place::exact), inside = questions(table, Place::inside),
             beyond = questions(table, Place::beyond);
  fmt::print("{:<34}{:>9}{:>8}{:>8.0f}{:>8.0f}{:>8.0f}{:>9.1f}{:>8.1f}{:>8.1f}{:>8.1f}\n", op.info.id,
             rows->size(), table.size(), median_ns(table, exact), median_ns(table, inside),
             median_ns(table, beyond), rows_ms, split_ms, models_ms, calibrated_ms);
  if (op.info.id == "gemm") fmt::print("  two threads: {:.2f} times one\n", two_thread_gain(table, inside));
}

void run(const BenchArguments& arguments) {
  const OpRegistry ops = all_ops();
  const SystemsRoot root(arguments.text(0), ops);
  const std::string system = arguments.text(1, "h200_sxm");
  Load total;
  for (const std::string& backend : root.backends(system)) {
    if (backend != arguments.text(2, backend.c_str())) continue;
    const std::string version = root.resolve_version(system, backend, "");
    fmt::print("{} {} {}\n{:<34}{:>9}{:>8}{:>8}{:>8}{:>8}{:>9}{:>8}{:>8}{:>8}\n", system, backend, version,
               "op", "rows", "slices", "exact", "inside", "beyond", "read", "split", "models", "+ bars");
    for (const auto& op : ops.ops()) try {
        bench_op(root, *op, {system, backend, version, SharedLayer::off}, total);
      } catch (const Error& error) {
        fmt::print("{}: {}\n", op->info.id, error.what());
      }
  }
  fmt::print(
      "exact, inside, beyond: ns per query. read, split, models, + bars: ms per table, models on all "
      "cores.\n");
  fmt::print("all tables: read {:.0f} ms, split {:.0f} ms, models {:.0f} ms; with calibration {:.0f} ms\n",
             total.rows_ms, total.split_ms, total.models_ms, total.calibrated_ms);
}

}  // namespace
}  // namespace perfatlas

int main(int argc, char** argv) {
  return perfatlas::bench_main({"atlas_bench SOURCE [SYSTEM] [BACKEND]", argc, argv}, perfatlas::run);
}
