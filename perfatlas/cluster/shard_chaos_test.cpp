// SPDX-License-Identifier: Apache-2.0
// Eight machines share a plan and everything goes wrong: workers and supervisors are killed, clocks jump, a disk is
// full, someone starts an overlapping plan. No row may be lost or doubled.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <thread>

#include "perfatlas/base/process.h"
#include "perfatlas/cluster/shard_status.h"
#include "perfatlas/collect/place.h"
#include "perfatlas/ops/all_ops.h"

namespace perfatlas {
namespace {

using std::chrono::milliseconds;

constexpr int kShards = 8;
constexpr milliseconds kLong{600000};

/// The soak test asks for more.
int kills_wanted() {
  const char* given = std::getenv("PERFATLAS_CHAOS_KILLS");
  return given != nullptr ? std::atoi(given) : 60;
}

std::vector<pid_t> children_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children");
  std::vector<pid_t> children;
  for (pid_t child = 0; file >> child;) children.push_back(child);
  return children;
}

class ShardChaos : public testing::Test {
 protected:
  void TearDown() override { ::unsetenv("LD_PRELOAD"); }

  std::string run() const { return home_ / fmt::format("run-{}", round_); }
  std::string lane(int shard) const { return run() + fmt::format("/shard-{}-of-8", shard); }

  ChildProcess start(const std::string& folder, const std::vector<std::string>& options) const {
    const std::string bin = PERFATLAS_BIN;
    std::vector<std::string> command = {bin + "/collect_driver",
                                        folder,
                                        "0",
                                        "--kind",
                                        "small",
                                        "--filter",
                                        "gemm_dtype=bfloat16 m=64 ",
                                        "--crash-retries",
                                        "1000",
                                        "--breaker-share",
                                        "1",
                                        "--tables-every",
                                        "0.05",
                                        "--drift-cases",
                                        "0"};
    command.insert(command.end(), options.begin(), options.end());
    for (const std::string& word :
         {std::string("--"), bin + "/perfatlas-worker-fake", std::string("--devices"),
          std::string("{device}"), std::string("--answer-us"), std::string("2000")})
      command.push_back(word);
    return ChildProcess::spawn({command, log()});
  }
  ChildProcess start_shard(int shard, std::vector<std::string> options = {}) const {
    options.insert(options.end(), {"--shard", fmt::format("{}/8", shard)});
    return start(lane(shard), options);
  }
  std::string log() const { return home_ / "driver.log"; }

  /// Case ids and latencies that place makes of the folders; no case twice.
  std::map<uint64_t, double> placed(const std::vector<std::string>& folders, const std::string& into) const {
    const PlaceReport report = place(ops_, {.collections = folders,
                                            .data_root = home_ / into,
                                            .system = "test",
                                            .format = TableFormat::csv,
                                            .before_write = {}});
    std::map<uint64_t, double> rows;
    for (const Row& row :
         read_table(ops_.get("gemm"), {"gemm_perf", TableFormat::csv, report.tables.at(0).path}))
      EXPECT_TRUE(rows.emplace(case_id(row.c), latency_ms(row)).second) << "a row is there twice";
    return rows;
  }
  static size_t case_records(const std::string& folder, const OpRegistry& ops) {
    size_t count = 0;
    if (file_exists(folder))
      read_journals(journal_files(folder), ops, [&](const JournalRecord& record) {
        count += std::holds_alternative<CaseRecord>(record);
      });
    return count;
  }
  std::vector<std::string> lanes() const {
    std::vector<std::string> all;
    for (int shard = 1; shard <= kShards; ++shard) all.push_back(lane(shard));
    return all;
  }
  std::map<uint64_t, double> calm() const {
    const std::string folder = home_ / "calm";
    EXPECT_EQ(start(folder, {}).wait(kLong).code, 0) << read_file(log());
    return placed({folder}, "calm_tables");
  }

  /// Kills at random until so many kills are done or every shard is; returns how many.
  int rage(int wanted, std::mt19937_64& random) const;

  TemporaryFolder home_;
  OpRegistry ops_ = all_ops();
  int round_ = 0;  // of plans, each collected into folders of its own
};

int ShardChaos::rage(int wanted, std::mt19937_64& random) const {
  std::vector<std::optional<ChildProcess>> shards(kShards);
  std::vector<bool> done(kShards, false);
  int kills = 0;
  while (kills < wanted && !std::all_of(done.begin(), done.end(), [](bool d) { return d; })) {
    const auto shard = size_t(random() % kShards);
    if (done[shard]) continue;
    auto& driver = shards[shard];
    if (!driver) {
#ifdef PERFATLAS_SHIFTED_CLOCK
      // Up to a day ahead or behind; of two records of a case another one may win, but all say the same.
      ::setenv("LD_PRELOAD", PERFATLAS_SHIFTED_CLOCK, 1);
      ::setenv("PERFATLAS_TEST_CLOCK_SHIFT_S", std::to_string(int64_t(random() % 172800) - 86400).c_str(), 1);
#endif
      driver.emplace(start_shard(int(shard) + 1, shard == 2 && random() % 2 == 0
                                                     ? std::vector<std::string>{"--file-limit", "20000"}
                                                     : std::vector<std::string>{}));
      ::unsetenv("LD_PRELOAD");
      continue;
    }
    std::this_thread::sleep_for(std::chrono::microseconds{random() % 20000});
    if (const auto status = driver->try_wait()) {  // done, or its disk was full
      done[shard] = status->code == 0;
      driver.reset();
      continue;
    }
    const auto workers = children_of(driver->pid());
    ++kills;
    if (random() % 2 == 0 || workers.empty()) {
      driver->kill();
      driver->wait(kLong);
      driver.reset();
    } else {
      ::kill(workers[random() % workers.size()], SIGKILL);
    }
  }
  return kills;
}

TEST_F(ShardChaos, EightShardsUnderRandomKillsAndClockJumpsMakeTheTableOfOneCalmRun) {
  const auto expected = calm();
  ASSERT_GT(expected.size(), 400u);
  std::mt19937_64 random(20260202);
  const int wanted = kills_wanted();
  int kills = 0;
  for (; kills < wanted; ++round_) {
    kills += rage(wanted - kills, random);
    for (int shard = 1; shard <= kShards; ++shard)
      ASSERT_EQ(start_shard(shard).wait(kLong).code, 0) << read_file(log());
    const ShardStatus status = shard_status(ops_, {.folders = {run()}});
    EXPECT_TRUE(status.complete());
    EXPECT_EQ(status.repeated, 0u);
    EXPECT_TRUE(status.missing.empty());
    ASSERT_EQ(placed(lanes(), fmt::format("tables-{}", round_)), expected);
  }
  fmt::print("{} kills over {} plans of {} cases\n", kills, round_, expected.size());
}

TEST_F(ShardChaos, AnOverlappingPlanIsNamedAndMergesWithoutLossOrDoubles) {
  const auto expected = calm();
  for (int shard = 1; shard <= 2; ++shard)
    ASSERT_EQ(start_shard(shard).wait(kLong).code, 0) << read_file(log());
  // By mistake the whole plan once more beside two of its shards.
  ASSERT_EQ(start(run() + "/again", {}).wait(kLong).code, 0) << read_file(log());
  const ShardStatus status = shard_status(ops_, {.folders = {run()}});
  EXPECT_EQ(status.done, expected.size());
  EXPECT_GT(status.repeated, 0u);
  EXPECT_THAT(status.text(), testing::HasSubstr("were decided by more than one lane"));
  EXPECT_EQ(placed({lane(1), lane(2), run() + "/again"}, "tables"), expected);
}

TEST_F(ShardChaos, PiecesTakeADeadShardOver) {
  const auto expected = calm();
  ASSERT_EQ(start(lane(1), {"--shard", "1/2"}).wait(kLong).code, 0) << read_file(log());
  ChildProcess dying = start(lane(2), {"--shard", "2/2"});
  while (!dying.try_wait() && case_records(lane(2), ops_) < 5) std::this_thread::sleep_for(milliseconds{5});
  dying.kill();
  dying.wait(kLong);
  std::vector<std::string> folders{lane(1), lane(2)};
  for (const char* piece : {"1", "2", "3"}) {
    folders.push_back(run() + fmt::format("/piece-{}", piece));
    ASSERT_EQ(start(folders.back(), {"--shard", fmt::format("2/2:{}/3", piece), "--done-in", lane(2)})
                  .wait(kLong)
                  .code,
              0)
        << read_file(log());
  }
  const ShardStatus status = shard_status(ops_, {.folders = {run()}});
  EXPECT_TRUE(status.complete());
  EXPECT_TRUE(status.finished(1));
  EXPECT_EQ(status.repeated, 0u);
  EXPECT_EQ(placed(folders, "tables"), expected);
}

}  // namespace
}  // namespace perfatlas
