// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/store/parquet.h"

#include <fmt/format.h>
#include <rapidcheck.h>

#include "perfatlas/base/file.h"
#include "perfatlas/store/columns_impl.h"
#include "perfatlas/store/toy_tables_test.h"

namespace perfatlas {
namespace {

constexpr size_t kBytesApart = 3;  // of the bytes that are flipped
const OpType kToy = make_op_type<ToyOp>();
const OpType kSteps = make_op_type<ToySteps>();

/// The same columns, another op: a wrong file in the right place.
struct OtherOp : ToyOp {
  static constexpr OpInfo info{.id = "other", .table = "toy_perf", .op_name = "toy", .doc = "d", .sol = "s"};
};
struct NewerToy : ToyOp {
  static constexpr OpInfo info{
      .id = "toy", .table = "toy_perf", .op_name = "toy", .doc = "d", .sol = "s", .revision = 2};
};

std::vector<Row> random_rows(const OpType& op, uint64_t seed, int count) {
  RandomRows random(seed);
  std::vector<Row> rows;
  for (int i = 0; i < count; ++i) rows.push_back(random.next(op));
  return rows;
}

void check_round_trip(const OpType& op) {
  const TemporaryFolder folder;
  const std::string path = folder / "x_perf.parquet";
  EXPECT_TRUE(rc::check([&](uint64_t seed) {
    const auto rows = random_rows(op, seed, int(seed % 7));
    write_parquet_table(op, rows, path);
    RC_ASSERT(read_parquet_table(op, path) == rows);
  }));
}
TEST(Parquet, RowsReadBackEqual) { check_round_trip(kToy); }
TEST(Parquet, RowsWithClaimedColumnsReadBackEqual) { check_round_trip(kSteps); }

TEST(Parquet, RowsThatAreMadeWhenAskedForGiveTheSameFile) {
  const TemporaryFolder folder;
  const auto rows = random_rows(kToy, 4, 20'000);  // several blocks
  write_parquet_table(kToy, rows, folder / "a.parquet");
  write_parquet_table(kToy, RowsToWrite(rows.size(), [&](size_t i, Row& row) { row = rows[i]; }),
                      folder / "b.parquet");
  EXPECT_EQ(read_file(folder / "a.parquet"), read_file(folder / "b.parquet"));
  EXPECT_EQ(read_parquet_table(kToy, folder / "b.parquet"), rows);
}

TEST(Parquet, AbsentColumnsTakeTheirDeclaredValues) {
  const TemporaryFolder folder;
  const OpType before = make_op_type<ToyBefore>(), grown = make_op_type<ToyGrown>();
  std::vector<Row> old(2);
  for (size_t i = 0; i < old.size(); ++i) {
    old[i].c = make_case(before, ToyBefore{.m = 99 + int64_t(i)});
    old[i].measured = {1.5};
  }
  write_parquet_table(before, old, folder / "grown_perf.parquet");
  const auto rows = read_parquet_table(grown, folder / "grown_perf.parquet");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(fields_text(rows[0].c), "m=99 window=7 gated=false");
  EXPECT_EQ(fields_text(rows[1].c), "m=100 window=7 gated=true");
}

TEST(Parquet, TruncatedFilesAreRefusedWithAReason) {
  const TemporaryFolder folder;
  write_parquet_table(kToy, random_rows(kToy, 1, 40), folder / "whole.parquet");
  const std::string whole = read_file(folder / "whole.parquet"), torn = folder / "torn.parquet";
  for (size_t bytes = 0; bytes < whole.size(); bytes += 1 + whole.size() / 97) {
    replace_file(torn, whole.substr(0, bytes));
    const std::string text = error_of([&] { (void)read_parquet_table(kToy, torn); });
    EXPECT_TRUE(text.starts_with(torn + ": ")) << bytes << text;
    EXPECT_EQ(text.find('\n'), text.npos) << text;
  }
}

/// What a reader can see of a column.
std::vector<std::string> texts_of(const ColumnData& column) {
  std::vector<std::string> texts{column.name};
  for (size_t row = 0; row < column.known.size(); ++row) {
    if (column.known[row] == 0)
      texts.push_back("null");
    else if (column.kind == ColumnData::Kind::text)
      texts.push_back("text " + column.dictionary[size_t(column.codes[row])]);
    else if (column.kind == ColumnData::Kind::real)
      texts.push_back(fmt::format("real {}", column.reals[row]));
    else if (column.kind == ColumnData::Kind::integer)
      texts.push_back(fmt::format("integer {}", column.integers[row]));
    else
      texts.push_back(fmt::format("boolean {}", column.booleans[row]));
  }
  return texts;
}

std::vector<std::vector<std::string>> texts_of(const ColumnBatch& batch) {
  std::vector<std::vector<std::string>> texts;
  for (const ColumnData& column : batch.columns) texts.push_back(texts_of(column));
  return texts;
}

/// Pages have checksums, and the footer's column names a digest: nothing that is read may differ.
TEST(Parquet, AFlippedBitIsRefusedOrChangesNothing) {
  const TemporaryFolder folder;
  write_published_table(kToy, random_rows(kToy, 2, 40), folder / "whole.parquet");
  const std::string whole = read_file(folder / "whole.parquet");
  const auto written = texts_of(parse_parquet_columns(whole, "whole"));
  size_t refused = 0, flipped = 0;
  for (size_t at = 0; at < whole.size(); at += kBytesApart) {
    std::string damaged = whole;
    damaged[at] = char(damaged[at] ^ (1 << flipped++ % 8));
    ColumnBatch read;
    const std::string text = error_of([&] { read = parse_parquet_columns(damaged, "bad"); });
    if (text == "no error") {
      EXPECT_EQ(texts_of(read), written) << "byte " << at << " of " << whole.size();
      continue;
    }
    ++refused;
    EXPECT_TRUE(text.starts_with("bad: ")) << text;
    EXPECT_EQ(text.find('\n'), text.npos) << text;
  }
  EXPECT_GT(refused, flipped / 3);
}

TEST(Parquet, TablesOfAnotherOpOrRevisionAreRefused) {
  const TemporaryFolder folder;
  const std::string path = folder / "toy_perf.parquet";
  write_parquet_table(kToy, random_rows(kToy, 3, 1), path);
  const OpType other = make_op_type<OtherOp>(), newer = make_op_type<NewerToy>();
  EXPECT_EQ(error_of([&] { (void)read_parquet_table(other, path); }),
            path + ": this is a table of op toy, not of other");
  EXPECT_NE(error_of([&] { (void)read_parquet_table(newer, path); }).find("written for revision 1 of op toy"),
            std::string::npos);
}

TEST(Parquet, OtherFilesAreNamedForWhatTheyAre) {
  const TemporaryFolder folder;
  const std::string path = folder / "toy_perf.parquet";
  replace_file(path, "version https://git-lfs.github.com/spec/v1\n");
  EXPECT_NE(error_of([&] { (void)read_parquet_table(kToy, path); }).find("Git-LFS pointer"),
            std::string::npos);
  replace_file(path, "framework,version\n");
  EXPECT_NE(error_of([&] { (void)read_parquet_table(kToy, path); }).find("not a Parquet file"),
            std::string::npos);
}

TEST(Parquet, MissingPluginNamesWhereItWasLookedFor) {
  setenv("PERFATLAS_PARQUET", "/nowhere/plugin.so", 1);
  std::string why_not;
  EXPECT_FALSE(parquet_available(why_not));
  EXPECT_NE(why_not.find("/nowhere/plugin.so"), std::string::npos);
  unsetenv("PERFATLAS_PARQUET");
  EXPECT_TRUE(parquet_available(why_not)) << why_not;
}

}  // namespace
}  // namespace perfatlas
