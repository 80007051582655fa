// SPDX-License-Identifier: Apache-2.0
// Against the published data itself: skipped without it.
#include <gmock/gmock.h>

#include <map>

#include "perfatlas/base/error.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/store/columns.h"
#include "perfatlas/tables/published_wheel_test.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas {
namespace {

/// What one file has beyond what the ops of its table read; empty: every row has its op.
std::string unread(const RootSource& root, const TableFile& file) {
  const std::string name = root.files().name_of(file.path);
  const ColumnBatch batch = parse_columns(file.format, root.files().read(file.path), name);
  size_t read = 0;
  std::string problems;
  try {
    for (const OpType* const op : ops_of_table(root.ops(), file.table)) {
      const FileTable table = make_file_table(*op, batch, name);
      read += table.size() + table.repeats();
      for (const std::string& column : table.unknown_columns())
        problems += name + ": column " + column + " is unknown to " + std::string(op->info.id) + "\n";
    }
  } catch (const Error& error) {
    return std::string(error.what()) + "\n";
  }
  if (read != size_t(batch.rows))
    problems += name + ": " + std::to_string(read) + " of " + std::to_string(batch.rows) + " rows\n";
  return problems;
}

TEST(PublishedWheel, EveryRowOfEveryFileIsReadByTheOpsOfItsTable) {
  PERFATLAS_NEED_WHEEL();
  const OpRegistry ops = all_ops();
  const RootSource root(published_wheel(), ops);
  size_t files = 0;
  for (const std::string& system : root.systems())
    for (const VersionFolder& folder : root.tables(system).folders())
      for (const TableFile& file : folder.tables) {
        EXPECT_EQ(unread(root, file), "");
        ++files;
      }
  EXPECT_EQ(files, 736);
}

}  // namespace
}  // namespace perfatlas
