// SPDX-License-Identifier: Apache-2.0
// What reading published tables costs: table_loading SOURCE SYSTEM BACKEND [OP...]. Prints for the named ops (default:
// all) the time from opening the source to having their merged rows, in a process that has done nothing before, and
// the memory that the process then holds.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>

#include "perfatlas/ops/all_ops.h"
#include "perfatlas/tables/systems_root.h"

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

}  // namespace

int main(int argc, char** argv) {
  using namespace perfatlas;
  if (argc < 4) return fmt::print(stderr, "usage: table_loading SOURCE SYSTEM BACKEND [OP...]\n"), 2;
  const OpRegistry ops = all_ops();
  const auto start = std::chrono::steady_clock::now();
  const SystemsRoot root(argv[1], ops);
  const std::string version = root.resolve_version(argv[2], argv[3], "");
  const double opened = milliseconds_since(start);
  size_t rows = 0;
  for (const auto& op : ops.ops()) {
    const auto named = [&](const char* name) { return op->info.id == name; };
    if (argc > 4 && std::none_of(argv + 4, argv + argc, named)) continue;
    rows += root.table_rows(*op, {argv[2], argv[3], version, SharedLayer::on})->size();
  }
  fmt::print("{} {} {}: {} rows, opened after {:.1f} ms, ready after {:.1f} ms, {:.0f} MB resident\n",
             argv[2], argv[3], version, rows, opened, milliseconds_since(start), resident_mb());
}
