// SPDX-License-Identifier: Apache-2.0
// Collections of collectives whose ranks die or hang in the middle: the case gets its outcome, the others are measured.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "perfatlas/base/text.h"
#include "perfatlas/collect/supervisor.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/collective/collective.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

pid_t parent_of(pid_t pid) {
  const std::string stat = file_text(fmt::format("/proc/{}/stat", pid));
  const size_t name_end = stat.rfind(')');  // "PID (NAME) STATE PARENT ..."
  return name_end == stat.npos ? 0 : pid_t(std::atol(stat.c_str() + name_end + 4));
}

/// Ranks that descend from this process: test -> worker -> mpirun -> rank.
std::vector<pid_t> own_ranks() {
  std::vector<pid_t> ranks;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const auto pid = parse_integer(entry.path().filename().string());
    if (!pid) continue;
    const std::string command = file_text(entry.path() / "cmdline");
    if (command.find(std::string("perfatlas-worker-mpi\0--rank", 27)) == command.npos) continue;
    pid_t ancestor = pid_t(*pid);
    for (int i = 0; i < 3; ++i) ancestor = parent_of(ancestor);
    if (ancestor == ::getpid()) ranks.push_back(pid_t(*pid));
  }
  return ranks;
}

/// Sockets of a worker with as many connected ranks: they have started and are at work.
bool are_at_work(const std::vector<pid_t>& ranks) {
  if (ranks.empty()) return false;
  const std::string name = fmt::format("@perfatlas-mpi-{}-", parent_of(parent_of(ranks[0])));
  std::istringstream sockets(file_text("/proc/net/unix"));
  size_t connected = 0;
  for (std::string line; std::getline(sockets, line);)
    connected += line.find(name) != line.npos && line.find(" 0001 03 ") != line.npos;
  return connected == ranks.size();
}

class Watcher : public CollectObserver {
 public:
  void on_case(const CaseRecord& record) override { records.push_back(record); }
  std::vector<CaseRecord> records;
};

class MpiFaults : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("command -v mpirun >/dev/null 2>&1") != 0) GTEST_SKIP() << "mpirun is missing";
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
    options_.folder = folder_ + "/out";
    options_.backend = "mpi";
    options_.devices = {"0"};
    options_.worker_command = {PERFATLAS_WORKER, "--devices", "{device}"};
    options_.drift.max_cases = 0;
    options_.case_deadline_s = 30;
    options_.measure.stopping.max_noise = 1e-9;  // each case takes all its time
    options_.measure.stopping.max_samples = 1000000;
    options_.measure.stopping.max_time_s = 0.5;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// Sends `signal` to one rank once, as soon as ranks are at work.
  CollectSummary run_with_fault(int signal) {
    std::vector<Case> cases;
    for (const int64_t elements : {1024, 2048, 4096})
      cases.push_back(make_case(ops_.get("collective"), Collective{.ranks = 2, .elements = elements}));
    std::atomic<bool> over = false;
    std::thread fault([&] {
      while (!over) {
        const std::vector<pid_t> ranks = own_ranks();
        if (are_at_work(ranks)) {
          std::this_thread::sleep_for(200ms);
          ::kill(ranks.back(), signal);
          return;
        }
        std::this_thread::sleep_for(5ms);
      }
    });
    const CollectSummary summary = collect(plan_of(cases), ops_, options_, watcher_);
    over = true;
    fault.join();
    return summary;
  }
  std::vector<CaseRecord> records_with(Outcome outcome) const {
    std::vector<CaseRecord> found;
    for (const CaseRecord& record : watcher_.records)
      if (record.outcome == outcome) found.push_back(record);
    return found;
  }

  std::string folder_ = testing::TempDir() + "perfatlas_mpi_XXXXXX";
  OpRegistry ops_ = all_ops();
  CollectOptions options_;
  Watcher watcher_;
};

TEST_F(MpiFaults, AKilledRankIsACrashThatIsRetriedAndEverythingIsMeasured) {
  const CollectSummary summary = run_with_fault(SIGKILL);
  EXPECT_EQ(summary.this_run.measured, 3u) << summary.text();
  EXPECT_EQ(summary.retried, 1u);
  const auto crashed = records_with(Outcome::crashed);
  ASSERT_EQ(crashed.size(), 1u);
  EXPECT_FALSE(crashed[0].final);
  EXPECT_THAT(crashed[0].reason, HasSubstr("of 2 is gone"));
  EXPECT_THAT(crashed[0].reason, HasSubstr("SIGKILL"));
  EXPECT_TRUE(own_ranks().empty());
}

TEST_F(MpiFaults, AHangingRankTimesOutAndTheOthersAreMeasured) {
  options_.case_deadline_s = 3;
  const CollectSummary summary = run_with_fault(SIGSTOP);
  EXPECT_EQ(summary.this_run.timed_out, 1u) << summary.text();
  EXPECT_EQ(summary.this_run.measured, 2u);
  EXPECT_EQ(records_with(Outcome::timed_out).size(), 1u);
  EXPECT_TRUE(own_ranks().empty());
}

TEST_F(MpiFaults, AMissingMpirunSkipsTheCasesWithThatReason) {
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", folder_.c_str(), 1);
  const CollectSummary summary = run_with_fault(0);
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(summary.this_run.skipped, 3u) << summary.text();
  const auto skipped = records_with(Outcome::skipped);
  ASSERT_EQ(skipped.size(), 3u);
  EXPECT_THAT(skipped[0].reason, HasSubstr("mpirun is not in PATH"));
}

TEST_F(MpiFaults, MoreRanksThanCoresAreSkippedWhenTheKernelForbidsIt) {
  options_.measure.kernel = "openmpi_perfatlas_sum";
  const CollectSummary summary = run_with_fault(0);
  EXPECT_EQ(summary.this_run.skipped, 3u) << summary.text();
  EXPECT_THAT(records_with(Outcome::skipped).at(0).reason,
              HasSubstr("2 ranks need as many cores, device 0 has 1"));
}

}  // namespace
}  // namespace perfatlas
