// SPDX-License-Identifier: Apache-2.0
// exchange_tables write DIR: every op's table with random rows, as CSV and as Parquet.
// exchange_tables same CSV PARQUET: the two files hold equal rows. Driven by exchange_tables.py.
#include <cstdio>
#include <string_view>

#include "perfatlas/ops/all_ops.h"
#include "perfatlas/store/csv.h"
#include "perfatlas/store/layout.h"
#include "perfatlas/store/parquet.h"
#include "perfatlas/store/toy_tables_test.h"

namespace perfatlas {
namespace {

void write_tables(const std::string& folder) {
  const OpRegistry ops = all_ops();
  for (const auto& op : ops.ops()) {
    RandomRows random(11);
    std::vector<Row> rows;
    for (int i = 0; i < 200; ++i) rows.push_back(random.next(*op));
    const std::string stem = folder + "/" + std::string(op->info.table);
    write_csv_table(*op, rows, stem + ".txt");
    write_parquet_table(*op, rows, stem + ".parquet");
  }
}

void compare(const std::string& csv, const std::string& parquet) {
  const OpRegistry ops = all_ops();
  const std::string table = table_file_of(csv)->table;
  for (const auto& op : ops.ops())
    if (op->info.table == table) {
      if (read_csv_table(*op, csv) != read_parquet_table(*op, parquet))
        throw Error(parquet + ": rows differ");
      return;
    }
  throw Error("no op has the table " + table);
}

}  // namespace
}  // namespace perfatlas

int main(int argc, char** argv) {
  try {
    if (argc == 3 && std::string_view(argv[1]) == "write") return perfatlas::write_tables(argv[2]), 0;
    if (argc == 4 && std::string_view(argv[1]) == "same") return perfatlas::compare(argv[2], argv[3]), 0;
    return 2;
  } catch (const perfatlas::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
