// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/place.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>

#include "perfatlas/base/file.h"
#include "perfatlas/collect/supervisor.h"
#include "perfatlas/store/collection_meta.h"
#include "perfatlas/store/csv.h"
#include "perfatlas/store/parquet.h"
#include "perfatlas/store/toy_tables_test.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

OpRegistry toy_ops() {
  OpRegistry ops;
  ops.add(make_op_type<ToyOp>());
  ops.add(make_op_type<ToySteps>());
  return ops;
}

/// A database and collections of made-up toy rows, all in CSV unless a test says otherwise.
class PlaceTest : public testing::Test {
 protected:
  struct Run {
    std::string folder, id;
    double latency_ms = 1;
    std::vector<int64_t> sizes = {1, 2, 4};
    bool complete = true;
  };

  Row row(const Run& run, int64_t m, double latency) const {
    Row r{.c = {&toy(), make_case(toy(), ToyOp{.m = m}).values}, .framework = "onednn", .version = "3.2.0"};
    r.device = "Xeon";
    r.kernel_source = "jit";
    r.measured = {latency};
    r.quality =
        RowQuality{.samples = 5, .latency_p10_ms = latency, .latency_p90_ms = latency, .rel_ci95 = 0.01};
    r.quality->case_id = case_id(r.c);
    r.quality->run_id = run.id;
    return r;
  }

  CaseRecord record(const Run& run, int64_t m, double latency) const {
    CaseRecord c{.backend = "onednn", .date = "2026-01-31T12:00:00Z"};
    c.row = row(run, m, latency);
    c.case_text = case_text(c.row->c);
    c.case_id = case_id(c.row->c);
    return c;
  }

  /// Writes a journal as a collection would.
  void collect(const Run& run) const {
    std::filesystem::create_directories(run.folder);
    JournalWriter journal(run.folder + "/journal-" + run.id + ".jsonl");
    journal.append(RunRecord{.run_id = run.id,
                             .tool_version = "0.1.0",
                             .date = "2026-01-31T12:00:00Z",
                             .plan_hash = 255,
                             .plan_cases = run.sizes.size(),
                             .shard = "1/1",
                             .backend = "onednn",
                             .backend_version = "3.2.0",
                             .device_name = "Xeon",
                             .versions = {{"onednn", "3.2.0"}}});
    for (const int64_t m : run.sizes) journal.append(record(run, m, run.latency_ms * double(m)));
    if (run.complete) journal.append(EndRecord{.why = std::string(name_of(EndReason::complete))});
  }

  PlaceRequest request(const std::vector<std::string>& folders) const {
    return {folders, root_ / "data", "xeon", TableFormat::csv, nullptr};
  }
  std::string table() const { return root_ / "data/xeon/onednn/3.2.0/toy_perf.txt"; }
  std::string history() const { return root_ / "data/xeon/onednn/3.2.0/history/toy_perf.txt"; }
  std::vector<Row> rows(const std::string& path) const { return read_csv_table(toy(), path); }
  /// m -> latency of a table without duplicates.
  std::map<int64_t, double> curve(const std::string& path) const {
    std::map<int64_t, double> points;
    for (const Row& r : rows(path))
      EXPECT_TRUE(points.emplace(decode<ToyOp>(r.c.values).m, r.measured[0]).second);
    return points;
  }
  const OpType& toy() const { return ops_.get("toy"); }

  OpRegistry ops_ = toy_ops();
  TemporaryFolder root_;
  Run old_{root_ / "old", "20260101T000000Z-aaaaaaaa", 1.0};
  Run new_{root_ / "new", "20260201T000000Z-bbbbbbbb", 0.5, {2, 4, 8}};
};

using Curve = std::map<int64_t, double>;

TEST_F(PlaceTest, NewestMeasurementWinsAndTheRestIsHistory) {
  collect(old_);
  collect(new_);
  const auto report = place(ops_, request({old_.folder, new_.folder}));
  EXPECT_EQ(curve(table()), (Curve{{1, 1.0}, {2, 1.0}, {4, 2.0}, {8, 4.0}}));
  EXPECT_EQ(curve(history()), (Curve{{2, 2.0}, {4, 4.0}}));
  ASSERT_THAT(report.tables, SizeIs(1));
  EXPECT_EQ(report.text(), table() + ": 4 rows (4 new, 0 replaced; 2 in history)\n");
  EXPECT_EQ(nlohmann::json::parse(report.json())["tables"][0]["rows"], 4);
}

TEST_F(PlaceTest, OrderOfPlacingDoesNotMatter) {
  collect(old_);
  collect(new_);
  place(ops_, request({new_.folder}));
  place(ops_, request({old_.folder}));
  EXPECT_EQ(curve(table()), (Curve{{1, 1.0}, {2, 1.0}, {4, 2.0}, {8, 4.0}}));
  EXPECT_EQ(curve(history()), (Curve{{2, 2.0}, {4, 4.0}}));
}

TEST_F(PlaceTest, PlacingAgainWritesNothing) {
  collect(old_);
  collect(new_);
  PlaceRequest both = request({old_.folder, new_.folder});
  place(ops_, both);
  both.before_write = [](const std::string& path) { ADD_FAILURE() << path << " was written again"; };
  const auto report = place(ops_, both);
  EXPECT_FALSE(report.tables.at(0).changed);
  EXPECT_THAT(report.text(), HasSubstr("nothing new"));
}

TEST_F(PlaceTest, LaterRecordOfOneRunWins) {
  collect(old_);
  { JournalWriter(old_.folder + "/journal-" + old_.id + ".jsonl").append(record(old_, 4, 3.5)); }
  place(ops_, request({old_.folder}));
  place(ops_, request({old_.folder}));
  EXPECT_EQ(curve(table()).at(4), 3.5);
  EXPECT_EQ(curve(history()), (Curve{{4, 4.0}}));
}

TEST_F(PlaceTest, StagingTableOfAJournalAddsNothingAndAloneSuffices) {
  collect(old_);
  write_csv_table(toy(), std::vector{row(old_, 1, 1.0), row(old_, 2, 2.0)}, old_.folder + "/toy_perf.txt");
  place(ops_, request({old_.folder}));
  EXPECT_EQ(curve(table()).size(), 3u);
  EXPECT_FALSE(file_exists(history()));
  std::filesystem::create_directories(root_ / "bare");
  write_csv_table(toy(), std::vector{row(old_, 16, 9.0)}, root_ / "bare/toy_perf.txt");
  place(ops_, request({root_ / "bare"}));
  EXPECT_EQ(curve(table()).size(), 4u);
}

TEST_F(PlaceTest, ACaseThatAStagingTableAloneHasTwiceIsToldOnceAndTheLastRowStands) {
  std::filesystem::create_directories(root_ / "bare");
  write_csv_table(toy(), std::vector{row(old_, 16, 9.0), row(old_, 32, 2.0), row(old_, 16, 8.0)},
                  root_ / "bare/toy_perf.txt");
  const PlaceReport report = place(ops_, request({root_ / "bare"}));
  EXPECT_EQ(curve(table()), (Curve{{16, 8.0}, {32, 2.0}}));
  EXPECT_THAT(report.text(), HasSubstr("is there more than once: 8 ms counts, 9 ms does not\n"));
  EXPECT_THAT(nlohmann::json::parse(report.json())["tables"][0]["contradiction"].get<std::string>(),
              HasSubstr("8 ms counts"));
}

TEST_F(PlaceTest, ParquetIsWrittenAndAnExistingTableKeepsItsFormat) {
  collect(old_);
  collect(new_);
  PlaceRequest wanted = request({old_.folder});
  wanted.format = TableFormat::parquet;
  if (std::string why_not; !parquet_available(why_not)) GTEST_SKIP() << why_not;
  const std::string path = place(ops_, wanted).tables.at(0).path;
  EXPECT_TRUE(path.ends_with("toy_perf.parquet"));
  place(ops_, request({new_.folder}));
  EXPECT_FALSE(file_exists(table()));
  EXPECT_EQ(read_table(toy(), {"toy_perf", TableFormat::parquet, path}).size(), 4u);
}

TEST_F(PlaceTest, SidecarTellsRunsAndCountsOnce) {
  collect(old_);
  collect(new_);
  place(ops_, request({old_.folder}));
  place(ops_, request({old_.folder}));
  place(ops_, request({new_.folder}));
  const auto meta = read_collection_meta(root_ / "data/xeon/onednn/3.2.0");
  ASSERT_TRUE(meta);
  const TableProvenance& t = meta->tables.at("toy_perf");
  EXPECT_EQ(t.rows, 4);
  EXPECT_EQ(t.status, "complete");
  EXPECT_EQ(t.outcomes.at("measured"), 6);
  EXPECT_EQ(t.case_plan_hash, "00000000000000ff");
  EXPECT_THAT(meta->collections, SizeIs(2));
  EXPECT_EQ(meta->runtime.at("version"), "3.2.0");
}

TEST_F(PlaceTest, KilledCollectionIsMarkedPartialAndDamagedLinesAreReported) {
  old_.complete = false;
  collect(old_);
  { AppendFile(old_.folder + "/journal-" + old_.id + ".jsonl").append("00000000 {\"type\":\"ca"); }
  const auto report = place(ops_, request({old_.folder}));
  EXPECT_FALSE(report.complete);
  EXPECT_THAT(report.damaged, SizeIs(1));
  EXPECT_THAT(report.text(), HasSubstr("marked partial"));
  EXPECT_EQ(read_collection_meta(root_ / "data/xeon/onednn/3.2.0")->tables.at("toy_perf").status, "partial");
  EXPECT_EQ(curve(table()).size(), 3u);
}

TEST_F(PlaceTest, RowsOfAJournalWhoseFirstLineIsDamagedBelongToTheRunOfItsName) {
  collect(old_);
  collect(new_);
  const std::string path = new_.folder + "/journal-" + new_.id + ".jsonl";
  std::string text = read_file(path);
  text[text.find("onednn")] = '?';  // in the run record
  replace_file(path, text);
  const auto report = place(ops_, request({old_.folder, new_.folder}));
  EXPECT_THAT(report.damaged, SizeIs(1));
  EXPECT_EQ(curve(table()), (Curve{{1, 1.0}, {2, 1.0}, {4, 2.0}, {8, 4.0}}));
  EXPECT_EQ(read_collection_meta(root_ / "data/xeon/onednn/3.2.0")->collections.size(), 1u);
}

TEST_F(PlaceTest, RowsOfManyJournalsAndStagingTablesStandOnceInOrder) {
  new_.sizes.clear();
  for (int64_t m = 5000; m > 0; --m) new_.sizes.push_back(m);  // several blocks
  collect(new_);
  std::vector<Row> staged;
  for (int64_t m = 1; m <= 6000; ++m) staged.push_back(row(new_, m, new_.latency_ms * double(m)));
  write_csv_table(toy(), staged, new_.folder + "/toy_perf.txt");
  const auto report = place(ops_, request({new_.folder, new_.folder}));
  EXPECT_EQ(report.text(), table() + ": 6000 rows (6000 new, 0 replaced; 0 in history)\n");
  EXPECT_EQ(rows(table()), staged);
  place(ops_, request({new_.folder}));
  EXPECT_EQ(rows(table()), staged);
}

TEST_F(PlaceTest, StoppedAtAnyStepLeavesOldOrNewTablesAndLosesNothing) {
  collect(old_);
  collect(new_);
  const Curve before{{1, 1.0}, {2, 2.0}, {4, 4.0}}, after{{1, 1.0}, {2, 1.0}, {4, 2.0}, {8, 4.0}};
  for (int stop_at = 0;; ++stop_at) {
    std::filesystem::remove_all(root_ / "data");
    place(ops_, request({old_.folder}));
    int step = 0;
    PlaceRequest stopping = request({new_.folder});
    stopping.before_write = [&](const std::string& path) {
      if (step++ == stop_at) throw Error("stopped before " + path);
    };
    const std::string outcome = error_of([&] { place(ops_, stopping); });
    EXPECT_TRUE(curve(table()) == before || curve(table()) == after) << outcome;
    if (outcome == "no error") {
      EXPECT_EQ(stop_at, 3);  // history, table, sidecar
      break;
    }
    place(ops_, request({new_.folder}));
    EXPECT_EQ(curve(table()), after);
    EXPECT_EQ(curve(history()), (Curve{{2, 2.0}, {4, 4.0}}));
  }
}

TEST_F(PlaceTest, KilledAtAnyMomentLeavesOldOrNewTables) {
  collect(old_);
  collect(new_);
  const Curve before{{1, 1.0}, {2, 2.0}, {4, 4.0}}, after{{1, 1.0}, {2, 1.0}, {4, 2.0}, {8, 4.0}};
  for (int round = 0; round < 25; ++round) {
    std::filesystem::remove_all(root_ / "data");
    place(ops_, request({old_.folder}));
    const pid_t child = fork();
    if (child == 0) {
      try {
        place(ops_, request({new_.folder}));
      } catch (...) {
      }
      _exit(0);
    }
    usleep(useconds_t(round * 300));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    EXPECT_TRUE(curve(table()) == before || curve(table()) == after);
    place(ops_, request({new_.folder}));
    EXPECT_EQ(curve(table()), after);
  }
}

TEST_F(PlaceTest, FullDiskLeavesTheOldTableAndSaysWhatToDo) {
  collect(old_);
  place(ops_, request({old_.folder}));
  new_.sizes.clear();
  for (int64_t m = 1; m < 400; ++m) new_.sizes.push_back(m);
  collect(new_);
  rlimit whole{};
  getrlimit(RLIMIT_FSIZE, &whole);
  rlimit small = whole;
  small.rlim_cur = 16384;
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string outcome = error_of([&] { place(ops_, request({new_.folder})); });
  setrlimit(RLIMIT_FSIZE, &whole);
  EXPECT_THAT(outcome, HasSubstr("File too large; raise the file-size limit"));
  EXPECT_EQ(curve(table()).size(), 3u);
  place(ops_, request({new_.folder}));
  EXPECT_EQ(curve(table()).size(), 399u);
}

TEST_F(PlaceTest, RefusesWhatCannotBePlaced) {
  collect(old_);
  const auto refusal = [&](const PlaceRequest& wanted) { return error_of([&] { place(ops_, wanted); }); };
  EXPECT_THAT(refusal(request({root_ / "nowhere"})), HasSubstr("nowhere"));
  std::filesystem::create_directories(root_ / "empty");
  EXPECT_THAT(refusal(request({root_ / "empty"})), HasSubstr("holds neither a journal nor a staging table"));
  PlaceRequest bad_system = request({old_.folder});
  bad_system.system = "a/b";
  EXPECT_THAT(refusal(bad_system), HasSubstr("--system 'a/b'"));
  replace_file(root_ / "data", "a file");
  EXPECT_THAT(refusal(request({old_.folder})), HasSubstr("cannot create the folder"));
  std::filesystem::remove(root_ / "data");
  place(ops_, request({old_.folder}));
  EXPECT_THAT(refusal({{old_.folder}, "/proc/data", "xeon", TableFormat::csv, nullptr}),
              HasSubstr("/proc/data"));  // nobody can write there
  {
    const FolderLock other(root_ / "data/xeon");
    EXPECT_THAT(refusal(request({old_.folder})), HasSubstr("is in use"));
  }
  replace_file(table(), "framework,torn");
  EXPECT_THAT(refusal(request({old_.folder})), HasSubstr("toy_perf.txt:1: the line is torn"));
  EXPECT_EQ(read_file(table()), "framework,torn");
}

TEST_F(PlaceTest, NewestSystemDescriptionIsPlacedUnderTheGivenName) {
  collect(old_);
  collect(new_);
  write_system_spec(
      {.system = "probed", .device = "Xeon", .kind = "cpu", .probed_at = "2026-01-01T00:00:00Z"},
      old_.folder + "/system.json");
  write_system_spec(
      {.system = "probed", .device = "Xeon 6", .kind = "cpu", .probed_at = "2026-02-01T00:00:00Z"},
      new_.folder + "/system.json");
  place(ops_, request({new_.folder}));
  place(ops_, request({old_.folder}));
  const SystemSpec placed = read_system_spec(system_description_path(root_ / "data", "xeon"));
  EXPECT_EQ(placed.device, "Xeon 6");
  EXPECT_EQ(placed.system, "xeon");
}

}  // namespace
}  // namespace perfatlas
