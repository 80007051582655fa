// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/journal.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "perfatlas/base/hash.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/gemm/gemm.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

class Journal : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(::mkdtemp(folder_.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  CaseRecord measured(int64_t m) const {
    const Case c = make_case(ops_.get("gemm"), Gemm{.m = m, .n = 2, .k = 2});
    CaseRecord r{.case_text = case_text(c), .case_id = case_id(c), .backend = "onednn"};
    r.row =
        Row{.c = c, .framework = "onednn", .version = "3.2", .device = "a \"b\", c", .kernel_source = "k"};
    r.row->measured = {0.1 + double(m) / 3};
    r.row->quality = RowQuality{.samples = 3, .rel_ci95 = 0.1, .seed = ~uint64_t{0}, .case_id = r.case_id};
    r.samples_ms = {1.0 / 3, 1e-300, 2};
    return r;
  }
  std::string path() const { return folder_ + "/journal-a.jsonl"; }
  std::vector<DamagedLine> damaged(std::vector<JournalRecord>& records) const {
    records.clear();
    return read_journals(journal_files(folder_), ops_, [&](const JournalRecord& r) { records.push_back(r); });
  }

  std::string folder_ = testing::TempDir() + "perfatlas_journal_XXXXXX";
  OpRegistry ops_ = all_ops();
};

TEST_F(Journal, EveryKindOfRecordReadsBack) {
  CaseRecord crashed = measured(2);
  crashed.row.reset();
  crashed.samples_ms.clear();
  crashed.outcome = Outcome::crashed;
  crashed.final = false;
  crashed.reason = "SIGSEGV; its last words: \"\t\\ \u00e9";
  RunRecord run{.run_id = "r", .command = "perfatlas collect", .plan_hash = 7, .versions = {{"a", "b"}}};
  run.system_json = "{\"system\": \"x\"}\n";
  const std::vector<JournalRecord> written = {
      run,
      measured(1),
      crashed,
      RerunRecord{"gemm x", 5, 1.5, 2.5, {2.5}},
      BreakerRecord{"gemm", "why"},
      EndRecord{"d", "complete", {{"measured", 3}}, 4, DriftFigures{1, 0.1, 0.2, 0.3}}};
  for (const JournalRecord& record : written) EXPECT_EQ(parse_record(format_record(record), ops_), record);
}

TEST_F(Journal, ForeignBytesInAReasonDoNotStopTheJournal) {
  CaseRecord r = measured(1);
  r.row.reset();
  r.samples_ms.clear();
  r.outcome = Outcome::failed;
  r.reason = "bad \xff byte";
  EXPECT_THAT(std::get<CaseRecord>(parse_record(format_record(r), ops_)).reason, HasSubstr("bad "));
}

TEST_F(Journal, EveryCutOfTheLastLineIsRecognised) {
  const std::string first = format_record(measured(1)), second = format_record(measured(2));
  for (size_t length = 0; length < second.size(); length += 7) {
    replace_file(path(), first + second.substr(0, length));
    { JournalWriter(path()).append(measured(3)); }
    std::vector<JournalRecord> records;
    const auto lines = damaged(records);
    EXPECT_EQ(records.size(), size_t{2}) << length;
    EXPECT_EQ(lines.size(), size_t{length > 0}) << length;
    if (length > 0) {
      EXPECT_EQ(lines[0].line, uint64_t{2});
    }
  }
}

RC_GTEST_FIXTURE_PROP(Journal, OneChangedByteNeverPassesAsARecord, ()) {
  std::string line = format_record(measured(*rc::gen::inRange<int64_t>(1, 1000)));
  const auto at = *rc::gen::inRange<size_t>(0, line.size() - 1);
  const auto other = *rc::gen::distinctFrom(rc::gen::arbitrary<char>(), line[at]);
  line[at] = other;
  RC_ASSERT_THROWS_AS(parse_record(line, ops_), Error);
}

RC_GTEST_FIXTURE_PROP(Journal, AnyTextIsRefusedNotCrashedOn, (const std::string& text)) {
  RC_ASSERT_THROWS_AS(parse_record(text, ops_), Error);
}

TEST_F(Journal, UnknownOpIsDamageThatNamesIt) {
  std::string line = format_record(measured(1));
  std::string json = line.substr(9, line.size() - 10);
  json.replace(json.find("gemm "), 5, "gone ");
  replace_file(path(), fmt::format("{:08x} {}\n", checksum32(json), json));
  std::vector<JournalRecord> records;
  EXPECT_THAT(damaged(records).at(0).reason, HasSubstr("no op 'gone'"));
}

TEST_F(Journal, RaisedRevisionMakesOldRecordsForeign) {
  CaseRecord record = measured(1);
  record.case_id ^= 1;
  EXPECT_THROW(parse_record(format_record(record), ops_), Error);
}

TEST_F(Journal, NewerRevisionIsAnErrorNotDamage) {
  std::string line = format_record(RunRecord{});
  std::string json = line.substr(9, line.size() - 10);
  json.replace(json.find("\"format\":1"), 10, "\"format\":2");
  replace_file(path(), fmt::format("{:08x} {}\n", checksum32(json), json));
  std::vector<JournalRecord> records;
  EXPECT_THROW(damaged(records), Error);
}

TEST_F(Journal, FilesAreReadOldestFirst) {
  for (const char* id : {"20270101T000000.000000Z-1", "20260101T000000.000000Z-9"})
    JournalWriter(folder_ + "/journal-" + id + ".jsonl").append(RunRecord{.run_id = id});
  std::vector<JournalRecord> records;
  damaged(records);
  EXPECT_EQ(std::get<RunRecord>(records.at(0)).run_id, "20260101T000000.000000Z-9");
}

TEST_F(Journal, KeysDifferInEveryPart) {
  const uint64_t key = RecordKeys("onednn", "", CacheState::serving).of(1);
  EXPECT_NE(RecordKeys("onednn", "", CacheState::serving).of(2), key);
  EXPECT_NE(RecordKeys("cuda", "", CacheState::serving).of(1), key);
  EXPECT_NE(RecordKeys("onednn", "k", CacheState::serving).of(1), key);
  EXPECT_NE(RecordKeys("onednn", "", CacheState::hot).of(1), key);
  const CaseRecord record{.case_id = 1, .backend = "onednn"};
  EXPECT_EQ(key_of(record), key);
}

}  // namespace
}  // namespace perfatlas
