// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/validate.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "perfatlas/collect/supervisor.h"
#include "perfatlas/store/csv.h"
#include "perfatlas/store/toy_tables_test.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

/// Toy steps whose two sub-kernels must both be there.
struct WholeSteps : ToySteps {
  static constexpr std::string_view parts[] = {"scan", "conv"};
  static constexpr OpInfo info{.id = "whole",
                               .table = "whole_perf",
                               .op_name = "whole",
                               .doc = "d",
                               .sol = "s",
                               .measured = ToySteps::columns,
                               .sub_kernels = parts,
                               .sub_kernel_column = "kernel_source"};
};

OpRegistry toy_ops() {
  OpRegistry ops;
  ops.add(make_op_type<ToyOp>());
  ops.add(make_op_type<WholeSteps>());
  return ops;
}

/// One collection of made-up rows; m = 1, 2, 4 ... 64 with 1 ms per unit of m, quiet and in order.
class ValidateTest : public testing::Test {
 protected:
  ValidateTest() {
    for (int64_t m = 1; m <= 64; m *= 2) latencies_[m] = double(m);
  }

  Row row(int64_t m, double latency) const {
    Row r{.c = {&toy(), make_case(toy(), ToyOp{.m = m}).values}, .framework = "onednn", .version = "3.2.0"};
    r.device = "Xeon";
    r.kernel_source = "jit";
    r.measured = {latency};
    r.quality =
        RowQuality{.samples = 5, .latency_p10_ms = latency, .latency_p90_ms = latency, .rel_ci95 = 0.01};
    r.quality->efficiency = 0.5;
    r.quality->case_id = case_id(r.c);
    return r;
  }

  CaseRecord record(const Row& r) const {
    CaseRecord c{.backend = "onednn", .row = r};
    c.case_text = case_text(r.c);
    c.case_id = case_id(r.c);
    return c;
  }

  CaseRecord failure(int64_t m, Outcome outcome) const {
    CaseRecord c = record(row(m, 1));
    c.row.reset();
    c.outcome = outcome;
    c.reason = "SIGSEGV";
    c.repro = repro_line(make_case(toy(), ToyOp{.m = m}));
    return c;
  }

  void append(const JournalRecord& r) { records_.push_back(r); }

  ValidateReport validated(EndReason end = EndReason::complete, bool ended = true) {
    {
      JournalWriter journal(folder_ / "journal-20260101T000000Z-aaaaaaaa.jsonl");
      journal.append(RunRecord{.run_id = "20260101T000000Z-aaaaaaaa",
                               .plan_cases = latencies_.size(),
                               .shard = "1/1",
                               .backend = "onednn",
                               .backend_version = "3.2.0"});
      for (const auto& [m, latency] : latencies_) {
        Row r = row(m, latency);
        if (change_) change_(m, r);
        journal.append(record(r));
      }
      for (const JournalRecord& r : records_) journal.append(r);
      if (ended) journal.append(EndRecord{.why = std::string(name_of(end))});
    }
    request_.collections = {folder_.path()};
    return validate(ops_, request_);
  }

  const OpType& toy() const { return ops_.get("toy"); }
  static const Finding* find(const ValidateReport& report, std::string_view check) {
    for (const Finding& finding : report.findings)
      if (finding.check == check) return &finding;
    return nullptr;
  }

  OpRegistry ops_ = toy_ops();
  TemporaryFolder folder_;
  std::map<int64_t, double> latencies_;
  std::function<void(int64_t m, Row&)> change_;
  std::vector<JournalRecord> records_;
  ValidateRequest request_;
};

TEST_F(ValidateTest, QuietOrderlyCollectionPasses) {
  std::vector<Case> cases;
  for (const auto& [m, latency] : latencies_) cases.push_back(make_case(toy(), ToyOp{.m = m}));
  const Plan plan = plan_of(cases);
  request_.plan = &plan;
  const ValidateReport report = validated();
  EXPECT_EQ(report.text(),
            "toy: 7 rows, 7 cases planned, 7 measured\n"
            "noise of toy: 95 % interval p50 1.00 %, p95 1.00 %; 0 of 7 rows noisy, 0 throttled\n"
            "leave-one-out of toy [jit, serving]: 5 points, relative error p50 0.00 %, p90 0.00 %, max 0.0 "
            "%; 2 without "
            "neighbours\npassed\n");
  const auto json = nlohmann::json::parse(report.json());
  EXPECT_EQ(json["passed"], true);
  EXPECT_EQ(json["counts"][0]["expected"], 7);
  EXPECT_EQ(json["counts"][0]["measured"], 7);
  EXPECT_TRUE(json["findings"].empty());
}

TEST_F(ValidateTest, UndecidedCasesFailUnlessTheBudgetWasUp) {
  const Plan plan = plan_of({make_case(toy(), ToyOp{.m = 1}), make_case(toy(), ToyOp{.m = 3})});
  request_.plan = &plan;
  const ValidateReport report = validated();
  ASSERT_TRUE(find(report, "missing"));
  EXPECT_TRUE(find(report, "missing")->fails);
  EXPECT_THAT(report.text(), HasSubstr("toy: 7 rows, 2 cases planned, 7 measured, 1 missing"));
  EXPECT_THAT(report.text(), HasSubstr("FAIL missing: 1 planned cases without an outcome"));
  append(EndRecord{.why = std::string(name_of(EndReason::budget))});
  const ValidateReport later = validated(EndReason::budget);
  EXPECT_FALSE(find(later, "missing")->fails);
  EXPECT_TRUE(later.passed());
}

TEST_F(ValidateTest, TotalsAreComparedWithoutAPlan) {
  EXPECT_TRUE(validated().passed());
  const TemporaryFolder other;
  {
    JournalWriter journal(other / "journal-1.jsonl");
    journal.append(RunRecord{.run_id = "1", .plan_cases = 9, .shard = "1/1"});
    journal.append(record(row(1, 1)));
    journal.append(EndRecord{.why = "complete"});
  }
  request_.collections = {other.path()};
  EXPECT_THAT(validate(ops_, request_).text(), HasSubstr("8 of 9 planned cases"));
}

TEST_F(ValidateTest, KilledInterruptedAndGivenUpCollectionsFail) {
  EXPECT_FALSE(validated(EndReason::complete, false).passed());
  EXPECT_TRUE(find(validated(EndReason::interrupted), "unfinished")->fails);
  append(BreakerRecord{.op = "toy", .reason = "21 of 50 failed"});
  EXPECT_TRUE(find(validated(EndReason::gave_up), "op given up")->fails);
}

TEST_F(ValidateTest, SingleFailuresWarnAndManyFail) {
  for (int64_t m = 100; m < 120; ++m) latencies_[m] = double(m);
  append(failure(3, Outcome::crashed));
  const ValidateReport one = validated();
  ASSERT_TRUE(find(one, "failure"));
  EXPECT_FALSE(find(one, "failure")->fails);
  EXPECT_THAT(one.text(), HasSubstr("perfatlas bench toy --m 3: crashed (SIGSEGV)"));
  for (int64_t m = 5; m < 8; ++m) append(failure(m, Outcome::timed_out));
  EXPECT_TRUE(find(validated(), "failure")->fails);
}

TEST_F(ValidateTest, DropsAndSpikesWarn) {
  latencies_[8] = 1.0;    // 4 ms before it, 16 ms behind
  latencies_[32] = 1000;  // 16 and 64 around it
  const ValidateReport report = validated();
  ASSERT_TRUE(find(report, "drop") && find(report, "spike"));
  EXPECT_THAT(find(report, "drop")->examples.at(0),
              HasSubstr("m=8 causal=true model= [jit, serving]: 1 ms, 4 ms at m 4"));
  EXPECT_EQ(find(report, "drop")->count, 2u);  // also from the spike back to 64
  EXPECT_EQ(find(report, "spike")->count, 1u);
  EXPECT_TRUE(report.passed());
}

TEST_F(ValidateTest, DropsUnderTheFloorAreIgnored) {
  for (auto& [m, latency] : latencies_) latency = m == 8 ? 0.001 : 0.029;
  EXPECT_FALSE(find(validated(), "drop"));
}

TEST_F(ValidateTest, RowsFasterThanLightFailBeyondTheirInterval) {
  change_ = [](int64_t m, Row& r) { r.quality->efficiency = m == 4 ? 1.005 : 0.9; };
  EXPECT_FALSE(find(validated(), "above light"));  // within the row's own 1 %
  change_ = [](int64_t m, Row& r) { r.quality->efficiency = m == 4 ? 1.5 : 0.9; };
  append(record([&] {
    Row r = row(4, 4);
    r.quality->efficiency = 1.5;
    return r;
  }()));
  const ValidateReport report = validated();
  ASSERT_TRUE(find(report, "above light"));
  EXPECT_TRUE(find(report, "above light")->fails);
  EXPECT_THAT(report.text(), HasSubstr("efficiency 1.500 (at most 1.010)"));
  SystemSpec wide;
  wide.memory_bandwidth.measured_rel_ci95 = 0.6;
  request_.system = wide;
  EXPECT_FALSE(find(validate(ops_, request_), "above light"));
}

TEST_F(ValidateTest, NoisyThrottledAndSuspectRowsWarn) {
  change_ = [](int64_t m, Row& r) {
    r.quality->throttled = m == 2;
    if (m == 64) r.quality->rel_ci95 = 0.2;
  };
  CaseRecord lie = record(row(128, 128));
  lie.suspect = true;
  append(lie);
  const ValidateReport report = validated();
  EXPECT_EQ(find(report, "noisy")->count, 1u);
  EXPECT_EQ(find(report, "throttled")->count, 1u);
  EXPECT_EQ(find(report, "suspect")->count, 1u);
  EXPECT_EQ(report.noise.at(0).p95, 0.2);
  EXPECT_TRUE(report.passed());
}

TEST_F(ValidateTest, ReRunsAreComparedWithAllowance) {
  request_.measure_again = [](const Row& r) { return std::optional(latency_ms(r) * 1.04); };
  const ValidateReport quiet = validated();
  ASSERT_TRUE(quiet.rerun);
  EXPECT_EQ(quiet.rerun->cases, 7u);
  EXPECT_NEAR(quiet.rerun->deviation_p50, 0.04, 1e-9);
  EXPECT_FALSE(find(quiet, "re-run"));
  request_.measure_again = [](const Row& r) {
    return latency_ms(r) == 1 ? std::optional<double>() : std::optional(latency_ms(r) * 2);
  };
  const ValidateReport wild = validate(ops_, request_);
  EXPECT_TRUE(find(wild, "re-run")->fails);
  EXPECT_EQ(find(wild, "re-run")->count, 6u);
  EXPECT_FALSE(find(wild, "re-run not possible")->fails);
  EXPECT_THAT(wild.text(), HasSubstr("re-runs now: 6 cases, deviation p50 100.00 %"));
}

TEST_F(ValidateTest, DuplicateRowsInAStagingTableFail) {
  write_csv_table(toy(), std::vector{row(1, 1.0), row(1, 1.1)}, folder_ / "toy_perf.txt");
  const ValidateReport report = validated();
  ASSERT_TRUE(find(report, "duplicate"));
  EXPECT_TRUE(find(report, "duplicate")->fails);
  EXPECT_THAT(find(report, "duplicate")->examples.at(0),
              HasSubstr("is there more than once: 1.1 ms counts, 1 ms does not"));
}

TEST_F(ValidateTest, ANegativeLatencyFromAPlugInWorkerFails) {
  change_ = [](int64_t m, Row& r) { r.measured[0] = m == 2 ? -1 : 1; };
  EXPECT_TRUE(find(validated(), "not positive")->fails);
}

TEST_F(ValidateTest, ASubKernelWithoutRowsFails) {
  const OpType& whole = ops_.get("whole");
  Row r = row(1, 1);
  r.c = parse_fields(whole, "op_name=pre tokens=8 kernel_source=conv");
  r.kernel_source = "conv";
  r.measured = {10, 1, 5};
  r.quality->case_id = case_id(r.c);
  append(record(r));
  const ValidateReport report = validated();
  ASSERT_TRUE(find(report, "sub-kernel"));
  EXPECT_TRUE(find(report, "sub-kernel")->fails);
  EXPECT_THAT(find(report, "sub-kernel")->examples.at(0),
              HasSubstr("whole: kernel_source 'scan' has no rows at all"));
}

}  // namespace
}  // namespace perfatlas
