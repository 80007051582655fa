// SPDX-License-Identifier: Apache-2.0
// Processes are killed at random moments and disks fill up; no row may be lost, doubled or half-written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <thread>

#include "perfatlas/base/process.h"
#include "perfatlas/collect/journal.h"
#include "perfatlas/collect/staging.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/store/csv.h"

namespace perfatlas {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

/// The soak test asks for more (perfatlas/collect/CMakeLists.txt).
int kills_wanted() {
  const char* given = std::getenv("PERFATLAS_CHAOS_KILLS");
  return given != nullptr ? std::atoi(given) : 120;
}

const int kKills = kills_wanted();
const int kCases = 25 * kKills;
constexpr milliseconds kLong{600000};

class Chaos : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(::mkdtemp(folder_.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  ChildProcess start(const std::string& out, const std::vector<std::string>& options,
                     const std::string& answer_us) const {
    const std::string bin = PERFATLAS_BIN;
    std::vector<std::string> command = {bin + "/collect_driver", folder_ + "/" + out, std::to_string(kCases)};
    command.insert(command.end(), options.begin(), options.end());
    for (const std::string& word :
         {std::string("--"), bin + "/perfatlas-worker-fake", std::string("--devices"),
          std::string("{device}"), std::string("--answer-us"), answer_us})
      command.push_back(word);
    return ChildProcess::spawn({command, log()});
  }
  std::string log() const { return folder_ + "/driver.log"; }

  /// Case ids and latencies of the table; strict reading and no id twice.
  std::map<uint64_t, double> rows(const std::string& out) const {
    const OpType& gemm = ops_.get("gemm");
    const std::string path = staging_path(folder_ + "/" + out, gemm);
    std::map<uint64_t, double> found;
    if (!file_exists(path)) return found;
    for (const Row& row : read_csv_table(gemm, path))
      EXPECT_TRUE(found.emplace(row.quality->case_id, latency_ms(row)).second) << "a row is there twice";
    return found;
  }
  std::vector<DamagedLine> damaged(const std::string& out) const {
    return read_journals(journal_files(folder_ + "/" + out), ops_, [](const JournalRecord&) {});
  }

  std::string folder_ = testing::TempDir() + "perfatlas_chaos_XXXXXX";
  OpRegistry ops_ = all_ops();
};

std::vector<pid_t> children_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children");
  std::vector<pid_t> children;
  for (pid_t child = 0; file >> child;) children.push_back(child);
  return children;
}

TEST_F(Chaos, KilledAHundredTimesTheTablesEqualThoseOfAnUndisturbedRun) {
  ASSERT_EQ(start("calm", {}, "0").wait(kLong).code, 0) << read_file(log());
  const auto expected = rows("calm");
  ASSERT_EQ(expected.size(), size_t(kCases));

  const std::vector<std::string> options = {"--crash-retries", "1000", "--breaker-share", "1",
                                            "--tables-every",  "0.01", "--drift-cases",   "0",
                                            "--devices",       "0,1"};
  std::mt19937_64 random(20260131);
  int supervisor_kills = 0, worker_kills = 0;
  while (supervisor_kills + worker_kills < kKills) {
    ChildProcess driver = start("storm", options, "3000");
    // Most lives reach the measuring; some end while the journals are still being read.
    const bool early = random() % 5 == 0;
    while (!early && children_of(driver.pid()).empty() && !driver.try_wait())
      std::this_thread::sleep_for(milliseconds{1});
    while (supervisor_kills + worker_kills < kKills) {
      std::this_thread::sleep_for(std::chrono::microseconds{random() % 30000});
      ASSERT_FALSE(driver.try_wait()) << "ended before the storm was over: " << read_file(log());
      const auto workers = children_of(driver.pid());
      if (early || random() % 3 == 0) {
        driver.kill();
        driver.wait(kLong);
        ++supervisor_kills;
        for (const auto& [id, latency] : rows("storm")) ASSERT_EQ(expected.count(id), size_t{1});
        break;
      }
      if (workers.empty()) continue;
      ::kill(workers[random() % workers.size()], SIGKILL);
      ++worker_kills;
    }
  }
  EXPECT_GT(supervisor_kills, 20);
  EXPECT_GT(worker_kills, 20);

  ASSERT_EQ(start("storm", options, "0").wait(kLong).code, 0) << read_file(log());
  EXPECT_EQ(rows("storm"), expected);
  // At most the line that a killed supervisor was writing is torn; a write is whole or absent on a local disk.
  EXPECT_LE(damaged("storm").size(), size_t(supervisor_kills));
  for (const auto& entry : std::filesystem::directory_iterator(folder_ + "/storm"))
    EXPECT_NE(entry.path().extension(), ".tmp") << entry.path();
  const auto journals = journal_files(folder_ + "/storm").size();
  ASSERT_EQ(start("storm", options, "0").wait(kLong).code, 0);
  EXPECT_EQ(journal_files(folder_ + "/storm").size(), journals) << "a finished plan does nothing";
}

TEST_F(Chaos, FullDiskStopsWithAMessageAndResumeCompletes) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    ASSERT_EQ(start("full", {"--file-limit", "300000"}, "0").wait(kLong).code, 1);
    const std::string text = read_file(log());
    EXPECT_THAT(text, HasSubstr("error: cannot append to "));
    EXPECT_THAT(text, HasSubstr("raise the file-size limit (ulimit -f) and run the same command again"));
    EXPECT_TRUE(damaged("full").empty());
    rows("full");  // reads strictly
  }
  ASSERT_EQ(start("full", {}, "0").wait(kLong).code, 0) << read_file(log());
  ASSERT_EQ(start("calm", {}, "0").wait(kLong).code, 0);
  EXPECT_EQ(rows("full"), rows("calm"));
}

TEST_F(Chaos, WorkersDieWithTheSupervisor) {
  ChildProcess driver = start("out", {}, "3000");
  std::vector<pid_t> workers;
  while (workers.empty() && !driver.try_wait()) workers = children_of(driver.pid());
  driver.kill();
  driver.wait(kLong);
  ASSERT_FALSE(workers.empty());
  const auto alive = [&] {
    std::ifstream stat("/proc/" + std::to_string(workers[0]) + "/stat");
    std::string pid, name, state;
    stat >> pid >> name >> state;
    return !state.empty() && state != "Z";
  };
  for (int i = 0; i < 4000 && alive(); ++i) std::this_thread::sleep_for(milliseconds{5});
  EXPECT_FALSE(alive());
}

TEST_F(Chaos, TwoCollectionsIntoOneFolderAreRefused) {
  ChildProcess first = start("out", {}, "3000");
  while (!file_exists(folder_ + "/out/lock") || read_file(folder_ + "/out/lock").empty())
    std::this_thread::sleep_for(milliseconds{2});
  EXPECT_EQ(start("out", {}, "0").wait(kLong).code, 1);
  EXPECT_THAT(read_file(log()),
              HasSubstr("in use by another collection (process " + std::to_string(first.pid())));
}

}  // namespace
}  // namespace perfatlas
