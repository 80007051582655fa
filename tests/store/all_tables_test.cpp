// SPDX-License-Identifier: Apache-2.0
// What every declared op's table must do.
#include <rapidcheck.h>

#include <set>

#include "perfatlas/ops/all_ops.h"
#include "perfatlas/store/csv.h"
#include "perfatlas/store/parquet.h"
#include "perfatlas/store/table_columns.h"
#include "perfatlas/store/toy_tables_test.h"

namespace perfatlas {
namespace {

std::vector<Row> random_rows(const OpType& op, uint64_t seed) {
  RandomRows random(seed);
  std::vector<Row> rows;
  for (int i = 0; i < 6; ++i) rows.push_back(random.next(op));
  return rows;
}

TEST(AllTables, RowsSurviveCsv) {
  const OpRegistry ops = all_ops();
  for (const auto& op : ops.ops())
    EXPECT_TRUE(rc::check(std::string(op->info.id), [&](uint64_t seed) {
      const std::vector<Row> rows = random_rows(*op, seed);
      std::vector<Row> read;
      parse_csv_table(*op, csv_table(*op, rows), "t", [&](Row&& row) { read.push_back(std::move(row)); });
      RC_ASSERT(read == rows);
    }));
}

#ifdef PERFATLAS_HAS_PARQUET
TEST(AllTables, RowsSurviveParquet) {
  const OpRegistry ops = all_ops();
  const TemporaryFolder folder;
  for (const auto& op : ops.ops())
    for (uint64_t seed = 0; seed < 10; ++seed) {
      const std::vector<Row> rows = random_rows(*op, seed);
      write_parquet_table(*op, rows, folder / "t.parquet");
      EXPECT_EQ(read_parquet_table(*op, folder / "t.parquet"), rows) << op->info.id << seed;
    }
}
#endif

TEST(AllTables, ColumnsAreUniqueAndTablesEndInPerf) {
  const OpRegistry ops = all_ops();
  for (const auto& op : ops.ops()) {
    std::set<std::string_view> names;
    for (const TableColumn& column : table_columns(*op))
      EXPECT_TRUE(names.insert(column.name).second) << column.name;
    EXPECT_TRUE(op->info.table.ends_with("_perf")) << op->info.table;
    EXPECT_EQ(csv_header(*op).rfind("framework,version,device,op_name,kernel_source,", 0), 0u);
  }
}

TEST(AllTables, IdentityTellsKernelsAndStatesApart) {
  const OpRegistry ops = all_ops();
  for (const auto& op : ops.ops()) {
    Row row = random_rows(*op, 1)[0];
    row.quality = RowQuality{.samples = 1, .case_id = case_id(row.c)};
    Row other = row;
    other.measured[0] *= 2;
    other.quality->run_id = "later";
    EXPECT_EQ(row_identity(row), row_identity(other));
    other.quality->cache_state = CacheState::hot;
    EXPECT_NE(row_identity(row), row_identity(other));
    other = row;
    other.quality->launch = LaunchMode::graph;
    EXPECT_NE(row_identity(row), row_identity(other));
    other = row;
    other.kernel_source += "x";
    EXPECT_NE(row_identity(row), row_identity(other));
  }
}

}  // namespace
}  // namespace perfatlas
