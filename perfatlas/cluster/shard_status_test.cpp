// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cluster/shard_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perfatlas/base/error.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/schema/derive.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

constexpr double kNowSeconds = 1'770'000'100;  // 2026-02-02T02:41:40Z

class Status : public testing::Test {
 protected:
  RunRecord run(const std::string& shard) const {
    return {.run_id = "20260202T024000.000000Z-00000001",
            .command = "perfatlas collect",
            .date = "2026-02-02T02:40:00.000Z",
            .host = "node",
            .plan_hash = 7,
            .plan_cases = 10,
            .plan_total = 20,
            .shard = shard,
            .backend = "onednn",
            .backend_version = "1",
            .device_name = "a CPU"};
  }
  CaseRecord decided(int64_t m, Outcome outcome = Outcome::measured) const {
    const Case c = make_case(ops_.get("gemm"), Gemm{.m = m, .n = 64, .k = 64});
    CaseRecord record{.case_text = case_text(c), .case_id = case_id(c), .backend = "onednn"};
    record.outcome = outcome;
    record.date = "2026-02-02T02:40:50.000Z";
    if (outcome == Outcome::measured)
      record.row = Row{.c = c,
                       .framework = "onednn",
                       .version = "1",
                       .device = "a CPU",
                       .kernel_source = "k",
                       .measured = {1}};
    else
      record.reason = "told to";
    return record;
  }
  /// A folder with one journal.
  std::string write(const std::string& name, const std::vector<JournalRecord>& records) const {
    const std::string folder = home_ / name;
    make_writable_folder(folder);
    JournalWriter journal(folder + "/journal-20260202T024000.000000Z-" + name + ".jsonl");
    for (const JournalRecord& record : records) journal.append(record);
    return folder;
  }
  ShardStatus status() const { return shard_status(ops_, {.folders = {home_.path()}, .now_s = kNowSeconds}); }

  TemporaryFolder home_;
  OpRegistry ops_ = all_ops();
};

TEST_F(Status, SumsLanesAndTellsRatesAndWhatIsMissing) {
  write("shard-1-of-2",
        {run("1/2"), decided(1), decided(2), decided(3), decided(4), decided(5, Outcome::failed)});
  const ShardStatus s = status();
  EXPECT_EQ(s.total, 20u);
  EXPECT_EQ(s.done, 5u);
  ASSERT_EQ(s.lanes.size(), 1u);
  EXPECT_EQ(s.lanes[0].outcomes.measured, 4u);
  EXPECT_EQ(s.lanes[0].outcomes.failed, 1u);
  EXPECT_DOUBLE_EQ(*s.lanes[0].rate_per_s, .1);
  EXPECT_DOUBLE_EQ(*s.lanes[0].quiet_s, 50);
  EXPECT_EQ(s.missing, (std::vector<uint64_t>{2}));
  EXPECT_FALSE(s.eta_s.has_value());  // of a shard that has not started nothing is known
  ASSERT_EQ(s.failures.size(), 1u);
  EXPECT_EQ(s.failures[0].reason, "failed: told to");
  EXPECT_FALSE(s.finished(0));
}

TEST_F(Status, EtaIsThatOfTheSlowestLane) {
  write("shard-1-of-2", {run("1/2"), decided(1), decided(2)});
  write("shard-2-of-2", {run("2/2"), decided(3)});
  EXPECT_DOUBLE_EQ(*status().eta_s, 9 / .02);
}

TEST_F(Status, OverlappingLanesAreNamedAndCountedOnce) {
  write("shard-1-of-2", {run("1/2"), decided(1), decided(2)});
  write("copy", {run("1/2"), decided(2), decided(3)});
  const ShardStatus s = status();
  EXPECT_EQ(s.done, 3u);
  EXPECT_EQ(s.repeated, 1u);
  EXPECT_THAT(s.text(), HasSubstr("1 cases were decided by more than one lane"));
}

TEST_F(Status, AnotherPlanIsRefusedInWords) {
  write("shard-1-of-2", {run("1/2"), decided(1)});
  RunRecord other = run("2/2");
  other.plan_hash = 8;
  write("shard-2-of-2", {other});
  try {
    status();
    FAIL() << "it should have thrown";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("holds plan 0000000000000007"));
    EXPECT_THAT(error.what(), HasSubstr("give each plan a folder of its own"));
  }
}

TEST_F(Status, AnotherVersionIsRefusedInWords) {
  write("shard-1-of-2", {run("1/2"), decided(1)});
  RunRecord other = run("2/2");
  other.backend_version = "2";
  write("shard-2-of-2", {other});
  EXPECT_THROW(status(), UsageError);
}

TEST_F(Status, AnotherNumberOfShardsIsRefusedInWords) {
  write("a", {run("1/2"), decided(1)});
  write("b", {run("2/3"), decided(2)});
  EXPECT_THAT([&] { status(); },
              testing::ThrowsMessage<UsageError>(
                  testing::AllOf(HasSubstr("b holds shard 2/3 of a plan that"), HasSubstr("as 2 shards"))));
}

TEST_F(Status, PartsOfDifferentLimitsAreRefusedInWords) {
  RunRecord longer = run("1/2");
  longer.plan_total = 30;
  write("a", {run("1/2"), decided(1), longer, decided(3)});  // the newest run counts
  EXPECT_EQ(status().total, 30u);
  write("b", {run("2/2"), decided(2)});
  EXPECT_THAT([&] { status(); },
              testing::ThrowsMessage<UsageError>(HasSubstr("collect both with the same --limit")));
}

TEST_F(Status, FoldersWithoutARunAreNamedAndTheirCasesCount) {
  write("a", {decided(1), decided(2)});  // its first line was lost
  write("b", {});
  write("c", {run("1/2"), decided(2), decided(3)});
  const ShardStatus s = status();
  EXPECT_EQ(s.done, 3u);
  EXPECT_EQ(s.repeated, 1u);
  ASSERT_EQ(s.lanes.size(), 1u);
  EXPECT_EQ(s.lanes[0].done, 2u);
  EXPECT_EQ(s.without_run, (std::vector<std::string>{home_ / "a", home_ / "b"}));
  EXPECT_THAT(s.text(),
              HasSubstr("b: its journals are empty or lack their first lines; its shard is unknown"));
}

TEST_F(Status, FoldersWhoseRunsAreAllLostAreAUsageError) {
  write("a", {decided(1)});
  EXPECT_THROW(status(), UsageError);
}

TEST_F(Status, AFolderWithoutJournalsIsAUsageError) { EXPECT_THROW(status(), UsageError); }

TEST_F(Status, KindsOfDevicesAreNamed) {
  write("shard-1-of-2", {run("1/2"), decided(1)});
  RunRecord other = run("2/2");
  other.device_name = "another CPU";
  write("shard-2-of-2", {other, decided(2)});
  EXPECT_EQ(status().devices, (std::vector<std::string>{"a CPU", "another CPU"}));
}

TEST_F(Status, JsonHasEveryLane) {
  write("shard-1-of-2", {run("1/2"), decided(1)});
  EXPECT_THAT(status().json(), HasSubstr("\"shard\": \"1/2\""));
}

}  // namespace
}  // namespace perfatlas
