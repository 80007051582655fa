// SPDX-License-Identifier: Apache-2.0
// Small plans while they are measured: audits stop families, doubtful rows are measured again, runs continue each
// other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <set>
#include <utility>

#include "perfatlas/base/hash.h"
#include "perfatlas/collect/knee_rounds.h"
#include "perfatlas/collect/supervisor.h"
#include "perfatlas/ops/all_ops.h"

namespace perfatlas {
namespace {

/// What the fake worker's latency of a case is, within 1 %; see misbehaving_worker.cpp.
double fake_ms(const OpType& op, const FieldValues& values) {
  const uint64_t hash = hash64(case_text({&op, values}));
  return (0.1 + double(hash % 1000) / 100) * (1 + .001 * double((hash >> 10) % 7 + 1));
}

class KnowsTheFake final : public Predictor {
 public:
  explicit KnowsTheFake(const OpType& op) : op_(op) {}
  std::optional<double> latency_ms(const FieldValues& values) const override {
    return 1.02 * fake_ms(op_, values);
  }
  std::optional<double> sigma() const override { return .01; }

 private:
  const OpType& op_;
};

class SmallRun : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(home_ / "memory");
    options_.folder = home_ / "out";
    options_.backend = "fake";
    options_.drift.max_cases = 0;
    options_.small.predictor = [](const OpType& op, std::span<const SlicePoint>, SolContext) {
      return std::make_unique<const KnowsTheFake>(op);
    };
    use_worker({});
  }
  void use_worker(const std::vector<std::string>& arguments) {
    options_.worker_command = {std::string(PERFATLAS_BIN) + "/perfatlas-worker-fake", "--devices", "{device}",
                               "--memory", home_ / "memory"};
    options_.worker_command.insert(options_.worker_command.end(), arguments.begin(), arguments.end());
  }
  Plan plan() const {
    return make_plan(ops_, {.ops = {"gemm"},
                            .grid = GridKind::aic,
                            .case_filters = {"gemm_dtype=bfloat16 "},
                            .kind = PlanKind::small});
  }
  CollectSummary run(const Plan& plan) {
    CollectObserver nobody;
    return collect(plan, ops_, options_, nobody);
  }
  std::vector<CaseRecord> records_of(const std::string& text) const {
    std::vector<CaseRecord> found;
    read_journals(journal_files(options_.folder), ops_, [&](const JournalRecord& record) {
      if (const auto* c = std::get_if<CaseRecord>(&record); c != nullptr && c->case_text == text)
        found.push_back(*c);
    });
    return found;
  }

  TemporaryFolder home_;
  OpRegistry ops_ = all_ops();
  CollectOptions options_;
};

TEST_F(SmallRun, AFamilyStopsWhenItsAuditsReachTheTargetAndStaysStopped) {
  options_.small.target_p90 = .08;
  const Plan small = plan();
  const CollectSummary first = run(small);
  EXPECT_EQ(first.end, EndReason::target);
  EXPECT_EQ(first.exit_code(), 0);
  ASSERT_EQ(first.audits.size(), 1u);
  EXPECT_EQ(first.audits[0].verdict, "reached");
  EXPECT_LE(first.audits[0].p90, .08);
  EXPECT_GE(first.this_run.measured, 1000u);  // a hundred audits, one in ten places
  EXPECT_LT(first.this_run.measured, small.size());
  const CollectSummary again = run(small);
  EXPECT_EQ(again.this_run.total(), 0u);
  EXPECT_EQ(again.end, EndReason::target);
}

TEST_F(SmallRun, WithoutATargetEveryPlaceIsMeasuredAndAuditsAreStillTold) {
  const Plan small = plan();
  const CollectSummary summary = run(small);
  EXPECT_EQ(summary.end, EndReason::complete);
  EXPECT_EQ(summary.this_run.measured, small.size());
  ASSERT_EQ(summary.audits.size(), 1u);
  EXPECT_EQ(summary.audits[0].verdict, "go_on");
}

TEST_F(SmallRun, AHiccupIsMeasuredAgainAtOnceAndTheHonestRowStays) {
  const Plan small = plan();
  const std::string text = case_text(small.at(100));
  use_worker({"--fault", "lie:" + text.substr(text.find("gemm_dtype")) + ":1"});
  const CollectSummary summary = run(small);
  EXPECT_EQ(summary.remeasured, 1u);
  const std::vector<CaseRecord> records = records_of(text);
  ASSERT_GE(records.size(), 2u);
  EXPECT_FALSE(records.front().final);
  EXPECT_TRUE(records.back().final);
  EXPECT_NEAR(latency_ms(*records.back().row) / fake_ms(*small.at(100).op, small.at(100).values), 1, .01);
  EXPECT_EQ(records.back().place, small.place(100));
}

TEST_F(SmallRun, AboveTheTargetStepsBetweenSizesAreHalvedAndAnotherRunAddsNothing) {
  options_.small.target_p90 = .01;  // of predictions that are always 2 % off
  const PlanRequest request{.ops = {"gemm"},
                            .grid = GridKind::aic,
                            .case_filters = {"gemm_dtype=bfloat16 "},
                            .kind = PlanKind::small};
  const Plan small = plan();
  CollectObserver nobody;
  const CollectSummary first = collect_with_knees(ops_, request, small, options_, nobody);
  EXPECT_EQ(first.end, EndReason::complete);
  ASSERT_EQ(first.audits.size(), 1u);
  ASSERT_EQ(first.audits[0].verdict, "go_on");
  std::set<uint64_t> planned, plans;
  for (size_t i = 0; i < small.size(); ++i) planned.insert(small.id(i));
  uint64_t probes = 0;
  read_journals(journal_files(options_.folder), ops_, [&](const JournalRecord& record) {
    if (const auto* c = std::get_if<CaseRecord>(&record)) probes += !planned.contains(c->case_id);
    if (const auto* run = std::get_if<RunRecord>(&record)) plans.insert(run->plan_hash);
  });
  EXPECT_GT(probes, 100u);
  EXPECT_LE(probes, small.size() / 10);
  EXPECT_EQ(plans, std::set<uint64_t>{small.hash()});
  const CollectSummary again = collect_with_knees(ops_, request, small, options_, nobody);
  EXPECT_EQ(again.this_run.total(), 0u);
}

TEST_F(SmallRun, AStopFileEndsFamiliesFromOutside) {
  options_.small.stop_file = home_ / "stopped";
  replace_file(options_.small.stop_file, "gemm bfloat16\n");
  const CollectSummary summary = run(plan());
  EXPECT_EQ(summary.end, EndReason::target);
  EXPECT_EQ(summary.this_run.total(), 0u);
}

TEST_F(SmallRun, AShardIsNotCollectedIntoTheFolderOfAnother) {
  PlanRequest request{.ops = {"gemm"}, .grid = GridKind::aic, .limit_per_op = 40};
  request.shard = {0, 2};
  run(make_plan(ops_, request));
  request.shard = {1, 2};
  EXPECT_THROW(run(make_plan(ops_, request)), UsageError);
  // Nor may it be what a piece of another one takes over: that folder is named, not the own one.
  options_.done_in = {std::exchange(options_.folder, options_.folder + "-piece")};
  request.shard = {1, 2, 0, 2};
  try {
    run(make_plan(ops_, request));
    FAIL() << "it should have thrown";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), testing::StartsWith(options_.done_in[0] + " holds shard 1/2"));
  }
}

}  // namespace
}  // namespace perfatlas
