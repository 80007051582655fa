// SPDX-License-Identifier: Apache-2.0
// What reading published tables costs: table_loading SOURCE SYSTEM BACKEND [OP...]. Prints for the named ops (default:
// all) the time from opening the source to having their merged rows, in a process that has done nothing before, and
// the memory that the process then holds.
#include <fmt/format.h>

#include <chrono>
#include <fstream>

#include "bench/bench_main.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas {
namespace {

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

/// Resident memory, MB.
double resident_mb() {
  std::ifstream status("/proc/self/statm");
  double size = 0, resident = 0;
  status >> size >> resident;
  return resident * 4096 / 1e6;
}

void run(const BenchArguments& arguments) {
  const std::string &system = arguments.text(1), &backend = arguments.text(2);
  const OpRegistry ops = all_ops();
  std::vector<const OpType*> asked;
  for (size_t i = 3; i < arguments.size(); ++i) asked.push_back(&ops.get(arguments.text(i)));
  if (asked.empty())
    for (const auto& op : ops.ops()) asked.push_back(op.get());
  const auto start = std::chrono::steady_clock::now();
  const SystemsRoot root(arguments.text(0), ops);
  const std::string version = root.resolve_version(system, backend, "");
  const double opened = milliseconds_since(start);
  size_t rows = 0;
  for (const OpType* const op : asked)
    rows += root.table_rows(*op, {system, backend, version, SharedLayer::on})->size();
  fmt::print("{} {} {}: {} rows, opened after {:.1f} ms, ready after {:.1f} ms, {:.0f} MB resident\n", system,
             backend, version, rows, opened, milliseconds_since(start), resident_mb());
}

}  // namespace
}  // namespace perfatlas

int main(int argc, char** argv) {
  return perfatlas::bench_main({"table_loading SOURCE SYSTEM BACKEND [OP...]", argc, argv}, perfatlas::run);
}
