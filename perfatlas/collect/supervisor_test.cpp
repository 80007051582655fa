// SPDX-License-Identifier: Apache-2.0
// Every outcome of a case, with a worker that misbehaves on request.
#include "perfatlas/collect/supervisor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <utility>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/collect/staging.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/store/csv.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

class Watcher : public CollectObserver {
 public:
  void on_case(const CaseRecord& record) override {
    records.push_back(record);
    if (at_first) std::exchange(at_first, nullptr)();
    if (records.size() == interrupt_after) ::kill(::getpid(), SIGTERM);
  }
  void on_event(const std::string& text) override { events.push_back(text); }
  void on_progress(const Progress& progress) override { last = progress; }
  std::vector<CaseRecord> records;
  std::vector<std::string> events;
  Progress last;
  size_t interrupt_after = 0;
  std::function<void()> at_first;
};

class Supervisor : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
    std::filesystem::create_directory(folder_ + "/memory");
    options_.folder = folder_ + "/out";
    options_.backend = "fake";
    options_.drift.max_cases = 0;
    options_.case_deadline_s = 20;
    use_worker({});
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void use_worker(const std::vector<std::string>& arguments) {
    options_.worker_command = {std::string(PERFATLAS_BIN) + "/perfatlas-worker-fake", "--devices", "{device}",
                               "--memory", folder_ + "/memory"};
    options_.worker_command.insert(options_.worker_command.end(), arguments.begin(), arguments.end());
  }
  void use_fault(const std::string& rule) { use_worker({"--fault", rule}); }

  /// Cases gemm m=1 .. count.
  Plan plan(int64_t count) const {
    std::vector<Case> cases;
    for (int64_t m = 1; m <= count; ++m)
      cases.push_back(make_case(ops_.get("gemm"), Gemm{.m = m, .n = 64, .k = 64}));
    return plan_of(cases);
  }
  CollectSummary run(const Plan& plan) {
    watcher_ = {};
    return collect(plan, ops_, options_, watcher_);
  }

  std::vector<CaseRecord> records_of(int64_t m) const {
    std::vector<CaseRecord> found;
    const std::string text = case_text(make_case(ops_.get("gemm"), Gemm{.m = m, .n = 64, .k = 64}));
    read_journals(journal_files(options_.folder), ops_, [&](const JournalRecord& record) {
      if (const auto* c = std::get_if<CaseRecord>(&record); c != nullptr && c->case_text == text)
        found.push_back(*c);
    });
    return found;
  }
  std::vector<Row> table() const {
    return read_csv_table(ops_.get("gemm"), staging_path(options_.folder, ops_.get("gemm")));
  }
  /// A machine so slow that the speed of light of every test case is far above an honest answer.
  static SystemSpec slow_machine() {
    SystemSpec spec{.system = "slow", .device = "fake device", .kind = "cpu"};
    spec.memory_bandwidth.measured = 1;
    spec.llc_bandwidth.measured = 1;
    for (const DType type : {DType::f32, DType::bf16}) spec.flops[type].measured = 1;
    return spec;
  }
  static SystemSpec fast_machine() {
    SystemSpec spec = slow_machine();
    spec.memory_bandwidth.measured = spec.llc_bandwidth.measured = 1e9;
    for (auto& [type, figure] : spec.flops) figure.measured = 1e10;
    return spec;
  }

  std::string folder_ = testing::TempDir() + "perfatlas_collect_XXXXXX";
  OpRegistry ops_ = all_ops();
  CollectOptions options_;
  Watcher watcher_;
};

TEST_F(Supervisor, MeasuresEveryCaseOnceAndWritesItsTable) {
  const CollectSummary s = run(plan(30));
  EXPECT_EQ(s.end, EndReason::complete);
  EXPECT_EQ(s.exit_code(), 0);
  EXPECT_EQ(s.this_run.measured, uint64_t{30});
  const auto rows = table();
  ASSERT_EQ(rows.size(), size_t{30});
  std::set<uint64_t> ids;
  for (const Row& row : rows) ids.insert(row.quality->case_id);
  EXPECT_EQ(ids.size(), size_t{30});
  EXPECT_EQ(rows[0].framework, "fake");
  EXPECT_EQ(rows[0].quality->run_id, s.run_id);
  EXPECT_EQ(watcher_.last.done, uint64_t{30});
}

TEST_F(Supervisor, FinishedPlanStartsNoWorkerAndWritesNothing) {
  run(plan(5));
  const auto count = [&] { return journal_files(options_.folder).size(); };
  const auto written = std::filesystem::last_write_time(staging_path(options_.folder, ops_.get("gemm")));
  options_.worker_command = {"/no/such/worker"};
  const CollectSummary s = run(plan(5));
  EXPECT_EQ(s.end, EndReason::complete);
  EXPECT_EQ(s.already_done, uint64_t{5});
  EXPECT_EQ(count(), size_t{1});
  EXPECT_EQ(std::filesystem::last_write_time(staging_path(options_.folder, ops_.get("gemm"))), written);
}

TEST_F(Supervisor, LostTableIsMadeAgainFromTheJournal) {
  run(plan(5));
  std::filesystem::remove(staging_path(options_.folder, ops_.get("gemm")));
  run(plan(5));
  EXPECT_EQ(table().size(), size_t{5});
}

TEST_F(Supervisor, SkipIsDataWithItsReason) {
  use_fault("skip: m=3 ");
  const CollectSummary s = run(plan(5));
  EXPECT_EQ(s.this_run.skipped, uint64_t{1});
  EXPECT_EQ(s.exit_code(), 0);
  EXPECT_EQ(records_of(3).at(0).reason, "fake_kernel: told to skip");
  EXPECT_EQ(table().size(), size_t{4});
}

TEST_F(Supervisor, FailureIsFinalAndTheWorkerLivesOn) {
  use_fault("fail: m=3 ");
  const CollectSummary s = run(plan(5));
  EXPECT_EQ(s.this_run.failed, uint64_t{1});
  EXPECT_EQ(s.respawns, uint64_t{0});
  ASSERT_EQ(records_of(3).size(), size_t{1});
  EXPECT_THAT(records_of(3)[0].repro, HasSubstr("perfatlas bench gemm --m 3"));
  EXPECT_EQ(s.failures.at(0).reason, "told to fail");
}

TEST_F(Supervisor, FailedCasesAreRetriedOnlyWhenAsked) {
  use_fault("fail: m=3 ");
  run(plan(5));
  use_worker({});
  EXPECT_EQ(run(plan(5)).this_run.total(), uint64_t{0});
  options_.retry_failed = true;
  EXPECT_EQ(run(plan(5)).this_run.measured, uint64_t{1});
  EXPECT_EQ(table().size(), size_t{5});
}

struct CrashCase {
  const char* fault;
  const char* reason;
  Outcome outcome;
};

class SupervisorCrash : public Supervisor, public testing::WithParamInterface<CrashCase> {};

TEST_P(SupervisorCrash, IsNamedRetriedOnceAndThenFinal) {
  use_fault(std::string(GetParam().fault) + ": m=3 ");
  const CollectSummary s = run(plan(6));
  const auto records = records_of(3);
  ASSERT_EQ(records.size(), size_t{2});
  EXPECT_FALSE(records[0].final);
  EXPECT_TRUE(records[1].final);
  EXPECT_EQ(records[1].attempts, 2);
  for (const CaseRecord& record : records) {
    EXPECT_EQ(record.outcome, GetParam().outcome);
    EXPECT_THAT(record.reason, HasSubstr(GetParam().reason));
  }
  EXPECT_EQ(s.this_run.measured, uint64_t{5});
  EXPECT_EQ(s.this_run.failures(), uint64_t{1});
  EXPECT_EQ(s.retried, uint64_t{1});
  EXPECT_EQ(table().size(), size_t{5});
}

INSTANTIATE_TEST_SUITE_P(
    Outcomes, SupervisorCrash,
    testing::Values(CrashCase{"segv", "SIGSEGV", Outcome::crashed},
                    CrashCase{"abort", "SIGABRT", Outcome::crashed},
                    CrashCase{"exit", "exit code 3; its last words: cannot go on", Outcome::crashed},
                    CrashCase{"half_line", "exit code 0 after half an answer", Outcome::crashed},
                    CrashCase{"garbage", "broke the protocol", Outcome::failed},
                    CrashCase{"wrong_id", "broke the protocol: it answered request", Outcome::failed}),
    [](const auto& test) { return test.param.fault; });

TEST_F(Supervisor, CrashThatHappensOnceLeavesNoGap) {
  use_fault("segv:0.3:1");
  options_.retry.breaker_share = 1;
  const CollectSummary s = run(plan(40));
  EXPECT_EQ(s.this_run.measured, uint64_t{40});
  EXPECT_GT(s.retried, uint64_t{3});
  EXPECT_EQ(table().size(), size_t{40});
}

TEST_F(Supervisor, HangIsKilledAtTheDeadline) {
  use_fault("hang: m=3 ");
  options_.case_deadline_s = 0.2;
  const CollectSummary s = run(plan(5));
  EXPECT_EQ(s.this_run.timed_out, uint64_t{1});
  EXPECT_THAT(records_of(3).at(0).reason, HasSubstr("no answer within 200 ms"));
  EXPECT_EQ(s.this_run.measured, uint64_t{4});
}

TEST_F(Supervisor, LateAnswerWithinTheDeadlineIsGood) {
  use_fault("late: m=3 ");
  EXPECT_EQ(run(plan(5)).this_run.measured, uint64_t{5});
}

TEST_F(Supervisor, LeakingWorkerIsReplacedAndNothingIsLost) {
  use_fault("leak:m=");
  options_.worker_memory_bytes = 100e6;
  const CollectSummary s = run(plan(64));
  EXPECT_EQ(s.this_run.measured, uint64_t{64});
  EXPECT_GE(s.respawns, uint64_t{2});
  EXPECT_THAT(watcher_.events.at(0), HasSubstr("replaced"));
}

TEST_F(Supervisor, LieIsMeasuredAgainKeptAndMarked) {
  use_fault("lie: m=3 ");
  options_.system = fast_machine();
  const CollectSummary s = run(plan(5));
  EXPECT_EQ(s.suspect, uint64_t{1});
  const CaseRecord record = records_of(3).at(0);
  EXPECT_TRUE(record.suspect);
  EXPECT_EQ(record.discarded_ms.size(), record.samples_ms.size());
  EXPECT_GT(record.row->quality->efficiency.value(), 1);
  EXPECT_EQ(table().size(), size_t{5});
}

TEST_F(Supervisor, LieThatIsNotRepeatedIsForgotten) {
  use_fault("lie: m=3 :1");
  options_.system = fast_machine();
  const CollectSummary s = run(plan(5));
  EXPECT_EQ(s.suspect, uint64_t{0});
  EXPECT_FALSE(records_of(3).at(0).discarded_ms.empty());
  EXPECT_LE(records_of(3).at(0).row->quality->efficiency.value(), 1);
}

TEST_F(Supervisor, EfficiencyIsAbsentWithoutASystemDescription) {
  run(plan(1));
  EXPECT_FALSE(table().at(0).quality->efficiency.has_value());
}

TEST_F(Supervisor, ThrottledSamplesAreRetriedThenMarked) {
  use_fault("throttle: m=2 ");
  options_.measure.throttle_retries = 1;
  const CollectSummary s = run(plan(3));
  EXPECT_EQ(s.throttled, uint64_t{1});
  EXPECT_TRUE(records_of(2).at(0).row->quality->throttled);
  EXPECT_FALSE(records_of(2).at(0).discarded_ms.empty());
  EXPECT_FALSE(records_of(1).at(0).row->quality->throttled);
}

TEST_F(Supervisor, ThrottlingThatPassesLeavesACleanRow) {
  use_fault("throttle: m=2 :1");
  const CollectSummary s = run(plan(3));
  EXPECT_EQ(s.throttled, uint64_t{0});
  EXPECT_FALSE(records_of(2).at(0).discarded_ms.empty());
}

TEST_F(Supervisor, NoisyCaseGetsMoreSamplesThanAQuietOne) {
  use_fault("noise: m=2 ");
  options_.measure.stopping.max_samples = 80;
  run(plan(3));
  EXPECT_EQ(records_of(2).at(0).samples_ms.size(), size_t{80});
  EXPECT_EQ(records_of(2).at(0).stop, StopReason::limit);
  EXPECT_EQ(records_of(1).at(0).samples_ms.size(), size_t{10});
  EXPECT_EQ(records_of(1).at(0).stop, StopReason::quiet);
}

TEST_F(Supervisor, ImpossibleAnswersAreFailuresNotRows) {
  use_worker({"--fault", "zero: m=2 ", "--fault", "other_kernel: m=3 ", "--fault", "noise: m=3 "});
  const CollectSummary s = run(plan(4));
  EXPECT_EQ(s.this_run.failed, uint64_t{2});
  EXPECT_THAT(records_of(2).at(0).reason, HasSubstr("latency of 0"));
  EXPECT_THAT(records_of(3).at(0).reason, HasSubstr("kernel changed"));
}

TEST_F(Supervisor, BreakerStopsAHopelessOp) {
  use_fault("fail:0.9");
  const CollectSummary s = run(plan(200));
  EXPECT_EQ(s.end, EndReason::gave_up);
  EXPECT_EQ(s.exit_code(), 1);
  EXPECT_EQ(s.this_run.total(), uint64_t{20});
  EXPECT_EQ(s.not_attempted, uint64_t{180});
  EXPECT_THAT(s.stopped_ops.at(0), HasSubstr("gemm: "));
}

TEST_F(Supervisor, SeveralDevicesShareOnePlan) {
  options_.devices = {"0", "1", "2"};
  use_worker({"--answer-us", "1000"});
  const CollectSummary s = run(plan(60));
  EXPECT_EQ(s.this_run.measured, uint64_t{60});
  std::set<std::string> devices;
  for (const CaseRecord& record : watcher_.records) devices.insert(record.device_id);
  EXPECT_EQ(devices.size(), size_t{3});
}

TEST_F(Supervisor, BudgetEndsInOrderAndResumes) {
  use_worker({"--answer-us", "5000"});
  options_.budget_s = 0.2;
  const CollectSummary s = run(plan(400));
  EXPECT_EQ(s.end, EndReason::budget);
  EXPECT_EQ(s.exit_code(), 0);
  EXPECT_GT(s.not_attempted, uint64_t{0});
  EXPECT_EQ(table().size(), s.this_run.measured);
  options_.budget_s.reset();
  use_worker({});
  const CollectSummary rest = run(plan(400));
  EXPECT_EQ(rest.already_done, s.this_run.measured);
  EXPECT_EQ(table().size(), size_t{400});
}

TEST_F(Supervisor, OneEndlessCaseKeepsNeitherTheBudgetNorTheOthersFromEnding) {
  use_fault("hang: m=3 :1");
  options_.budget_s = 0.1;
  const CollectSummary s = run(plan(5));
  EXPECT_EQ(s.end, EndReason::budget);
  EXPECT_FALSE(records_of(3).at(0).final);
  EXPECT_THAT(records_of(3).at(0).reason, HasSubstr("the budget had ended"));
  options_.budget_s.reset();
  EXPECT_EQ(run(plan(5)).this_run.measured, uint64_t{3});
  EXPECT_EQ(watcher_.records.back().attempts, 2) << "it comes last";
  EXPECT_EQ(table().size(), size_t{5});
}

TEST_F(Supervisor, SignalEndsInOrderAndResumes) {
  watcher_.interrupt_after = 10;
  const CollectSummary s = collect(plan(100), ops_, options_, watcher_);
  EXPECT_EQ(s.end, EndReason::interrupted);
  EXPECT_EQ(s.exit_code(), 1);
  EXPECT_LT(s.this_run.measured, uint64_t{100});
  EXPECT_EQ(table().size(), s.this_run.measured);
  EXPECT_THAT(s.text(), HasSubstr("run the same command again"));
  EXPECT_EQ(run(plan(100)).already_done, s.this_run.measured);
  EXPECT_EQ(table().size(), size_t{100});
}

TEST_F(Supervisor, ReRunsGiveTheDrift) {
  options_.drift = {.share = 0.5, .max_cases = 10};
  const CollectSummary s = run(plan(40));
  ASSERT_TRUE(s.drift);
  EXPECT_GT(s.drift->cases, uint64_t{0});
  EXPECT_EQ(s.drift->deviation_p95, 0) << "the fake worker repeats itself exactly";
  EXPECT_EQ(table().size(), size_t{40}) << "re-runs are no rows";
}

TEST_F(Supervisor, OtherCacheStateIsOtherWork) {
  run(plan(3));
  options_.measure.cache = CacheState::hot;
  EXPECT_EQ(run(plan(3)).this_run.measured, uint64_t{3});
  EXPECT_EQ(table().size(), size_t{6});
}

TEST_F(Supervisor, TornJournalLineIsReportedAndItsCaseMeasuredAgain) {
  run(plan(5));
  const std::string journal = journal_files(options_.folder).at(0);
  // Cut into the fifth case record, as a power cut would.
  std::ifstream in(journal);
  std::string line, kept;
  for (int i = 0; i < 5; ++i) std::getline(in, line), kept += line + "\n";
  std::getline(in, line);
  kept += line.substr(0, line.size() / 2);
  replace_file(journal, kept);
  const CollectSummary s = run(plan(5));
  EXPECT_EQ(s.damaged.size(), size_t{1});
  EXPECT_EQ(s.this_run.measured, uint64_t{1});
  EXPECT_EQ(table().size(), size_t{5});
}

TEST_F(Supervisor, SecondCollectionIntoTheFolderIsRefused) {
  std::filesystem::create_directories(options_.folder);
  const FolderLock other(options_.folder);
  EXPECT_THROW(run(plan(1)), Error);
}

std::string error_of(const std::function<void()>& work, bool usage) {
  try {
    work();
  } catch (const UsageError& error) {
    EXPECT_TRUE(usage) << error.what();
    return error.what();
  } catch (const Error& error) {
    EXPECT_FALSE(usage) << error.what();
    return error.what();
  }
  return "no error";
}

TEST_F(Supervisor, MissingDeviceIsAUsageErrorInTheWorkersWords) {
  options_.devices = {"none"};
  EXPECT_THAT(error_of([&] { run(plan(1)); }, true), HasSubstr("there is no device 'none'"));
  EXPECT_TRUE(journal_files(options_.folder).empty());
}

TEST_F(Supervisor, WorkerOfAnotherProtocolIsRefused) {
  use_worker({"--protocol", "99"});
  EXPECT_THAT(error_of([&] { run(plan(1)); }, false), HasSubstr("protocol"));
}

TEST_F(Supervisor, WorkerWithoutTheBackEndIsRefused) {
  use_worker({"--hello", "onednn"});
  EXPECT_THAT(error_of([&] { run(plan(1)); }, true), HasSubstr("it has onednn"));
}

TEST_F(Supervisor, AVersionThatCannotNameAFolderIsRefusedBeforeAnythingIsMeasured) {
  use_worker({"--version", "../up"});
  EXPECT_THAT(error_of([&] { run(plan(1)); }, false), HasSubstr("cannot name the folder of its tables"));
  EXPECT_TRUE(journal_files(options_.folder).empty());
}

TEST_F(Supervisor, AJournalThatIsTakenAwayEndsTheRunWithAnError) {
  for (const bool whole_folder : {false, true}) {
    const auto collect_watched = [&] {
      watcher_ = {};
      watcher_.at_first = [&] {
        if (whole_folder)
          std::filesystem::remove_all(options_.folder);
        else
          std::filesystem::remove(journal_files(options_.folder).at(0));
      };
      collect(plan(30), ops_, options_, watcher_);
    };
    EXPECT_THAT(error_of(collect_watched, false), HasSubstr("was removed, moved or replaced"));
    EXPECT_EQ(run(plan(30)).this_run.measured, uint64_t{30});
    EXPECT_EQ(table().size(), size_t{30});
    std::filesystem::remove_all(options_.folder);
  }
}

TEST_F(Supervisor, ATableReplacedByAFolderIsNotTakenForTheTable) {
  run(plan(5));
  const std::string path = staging_path(options_.folder, ops_.get("gemm"));
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  EXPECT_THAT(error_of([&] { run(plan(5)); }, false), HasSubstr("cannot replace"));
}

TEST_F(Supervisor, APipeAmongTheJournalsIsRefusedAndNotWaitedFor) {
  run(plan(5));
  ASSERT_EQ(::mkfifo((options_.folder + "/journal-0.jsonl").c_str(), 0666), 0);
  EXPECT_THAT(error_of([&] { run(plan(5)); }, false), HasSubstr("is no regular file"));
}

TEST_F(Supervisor, WorkerThatAlwaysDiesAtStartIsGivenUp) {
  use_worker({"--hello", "crash"});
  EXPECT_THAT(error_of([&] { run(plan(1)); }, false), HasSubstr("does not start: SIGKILL"));
}

TEST_F(Supervisor, MissingWorkerNamesThePlaces) {
  options_.worker_command.clear();
  options_.backend = "nowhere";
  EXPECT_THAT(error_of([&] { run(plan(1)); }, true), HasSubstr("PERFATLAS_WORKER_PATH"));
}

TEST_F(Supervisor, JournalOfANewerPerfatlasIsLeftAlone) {
  std::filesystem::create_directories(options_.folder);
  RunRecord record;
  std::string line = format_record(record).substr(9);
  line.pop_back();
  line.replace(line.find("\"format\":1"), 10, "\"format\":2");
  char checksum[16];
  std::snprintf(checksum, sizeof checksum, "%08x ", checksum32(line));
  replace_file(options_.folder + "/journal-x.jsonl", checksum + line + "\n");
  EXPECT_THAT(error_of([&] { run(plan(1)); }, false), HasSubstr("newer"));
}

}  // namespace
}  // namespace perfatlas
