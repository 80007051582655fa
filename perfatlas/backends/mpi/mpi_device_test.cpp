// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/mpi/mpi_device.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "perfatlas/backends/harness.h"
#include "perfatlas/backends/mpi/mpi_fixture_test.h"
#include "perfatlas/ops/all_ops.h"

namespace perfatlas {
namespace {

using testing::Each;
using testing::HasSubstr;

constexpr const char* kSmall = "collective op_name=all_reduce nccl_dtype=float num_gpus={} message_size=64";

/// The fields of /proc/PID/stat after the program's name; empty when the process is gone.
std::vector<std::string> process_stat(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(file, text);
  std::istringstream rest(text.substr(std::min(text.size(), text.rfind(')') + 2)));
  std::vector<std::string> words;
  for (std::string word; rest >> word;) words.push_back(word);
  return words;
}

bool is_alive(pid_t pid) {
  const std::vector<std::string> stat = process_stat(pid);
  return !stat.empty() && stat[0] != "Z" && stat[0] != "X";
}

bool are_gone_soon(const std::vector<pid_t>& pids) {
  for (int i = 0; i < 500; ++i) {
    if (std::none_of(pids.begin(), pids.end(), is_alive)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return false;
}

/// Clock ticks of CPU time so far.
long cpu_ticks(pid_t pid) {
  const std::vector<std::string> stat = process_stat(pid);
  return stat.size() < 13 ? 0 : std::stol(stat[11]) + std::stol(stat[12]);
}

class MpiDeviceTest : public MpiTest {
 protected:
  std::unique_ptr<PreparedCase> prepare(int ranks, CacheState cache = CacheState::hot) {
    const Case what = ops_.parse_case(fmt::format(fmt::runtime(kSmall), ranks));
    for (const KernelEntry* kernel : kernels_.of("collective", "mpi"))
      if (kernel->why_unsupported(what.values, device_).empty())
        return std::make_unique<PreparedCase>(CaseSetup{what, kernel, cache}, device_, store_);
    return nullptr;
  }
  Samples sample(int ranks) { return prepare(ranks)->sample({.warmups = 1, .repetitions = 3}); }

  OpRegistry ops_ = all_ops();
  OperandStore store_{device_};
};

TEST_F(MpiDeviceTest, AGroupLivesForManyCases) {
  sample(2);
  const std::vector<pid_t> pids = device_.group(2).pids();
  EXPECT_EQ(pids.size(), 2u);
  sample(3);
  sample(2);
  EXPECT_EQ(device_.group(2).pids(), pids);
}

TEST_F(MpiDeviceTest, EverySampleIsPositive) {
  const Samples samples = sample(2);
  ASSERT_EQ(samples.latency_ms.size(), 3u);
  EXPECT_THAT(samples.latency_ms, Each(testing::Gt(0)));
  EXPECT_EQ(samples.launch, LaunchMode::direct);
}

TEST_F(MpiDeviceTest, IdleRanksSleep) {
  sample(2);
  std::vector<long> before, after;
  for (const pid_t pid : device_.group(2).pids()) before.push_back(cpu_ticks(pid));
  std::this_thread::sleep_for(std::chrono::milliseconds{300});  // 30 ticks of a spinning process
  for (const pid_t pid : device_.group(2).pids()) after.push_back(cpu_ticks(pid));
  for (size_t i = 0; i < before.size(); ++i) EXPECT_LE(after[i] - before[i], 5);
}

TEST_F(MpiDeviceTest, MoreRanksThanCoresAreNoted) {
  const int ranks = int(device_.cores().size()) + 1;
  EXPECT_THAT(sample(ranks).launch_note, HasSubstr("oversubscribed"));
}

TEST_F(MpiDeviceTest, AKilledRankEndsItsGroupAndSaysHow) {
  sample(2);
  const std::vector<pid_t> pids = device_.group(2).pids();
  ::kill(pids[1], SIGKILL);
  try {
    sample(2);
    FAIL() << "the loss went unnoticed";
  } catch (const RankLost& loss) {
    EXPECT_THAT(loss.reason, HasSubstr("of 2 is gone"));
    EXPECT_THAT(loss.reason, HasSubstr("SIGKILL"));
  }
  EXPECT_TRUE(are_gone_soon(pids));
}

TEST_F(MpiDeviceTest, NoRankOutlivesTheDevice) {
  std::vector<pid_t> pids;
  {
    MpiDevice other("", test_rank_program());
    pids = other.group(2).pids();
    ASSERT_EQ(pids.size(), 2u);
  }
  EXPECT_TRUE(are_gone_soon(pids));
}

/// A stopped rank neither finishes by itself nor notices anything.
TEST_F(MpiDeviceTest, AStoppedRankDoesNotOutliveTheDevice) {
  std::vector<pid_t> pids;
  {
    MpiDevice other("", test_rank_program());
    pids = other.group(2).pids();
    ::kill(pids[0], SIGSTOP);
  }
  EXPECT_TRUE(are_gone_soon(pids));
}

TEST_F(MpiDeviceTest, TheColdStateIsRefused) {
  try {
    prepare(2, CacheState::cold)->sample({.repetitions = 1});
    FAIL() << "was measured";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("--cache serving or hot"));
  }
}

TEST_F(MpiDeviceTest, AnUnknownKernelIsAnErrorOfTheRankAndTheGroupLivesOn) {
  RankGroup& group = device_.group(2);
  const std::string what = fmt::format(fmt::runtime(kSmall), 2);
  EXPECT_THROW(group.prepare({"no_such_kernel", what, 2}), Error);
  EXPECT_NO_THROW(group.prepare({"openmpi_default", what, 2}));
}

TEST_F(MpiDeviceTest, AbsentCoresAreAUsageError) {
  EXPECT_THROW(MpiDevice("4000", test_rank_program()), UsageError);
}

/// Puts one folder in the place of PATH.
class MpiLauncher : public testing::Test {
 protected:
  MpiLauncher() {
    std::filesystem::create_directories(folder_);
    ::setenv("PATH", folder_.c_str(), 1);
  }
  ~MpiLauncher() override {
    ::setenv("PATH", path_.c_str(), 1);
    std::filesystem::remove_all(folder_);
  }
  void put_mpirun(const char* script) {
    std::ofstream(folder_ + "/mpirun") << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(folder_ + "/mpirun", std::filesystem::perms::owner_all);
  }

  std::string path_ = ::getenv("PATH");
  std::string folder_ = fmt::format("{}perfatlas_mpirun_{}", testing::TempDir(), ::getpid());
};

TEST_F(MpiLauncher, WithoutMpirunEveryKernelSaysSo) {
  const MpiDevice device("", test_rank_program());
  KernelRegistry kernels;
  add_all_mpi_kernels(kernels);
  const OpRegistry ops = all_ops();
  for (const char* dtype : {"float", "half"})
    for (const int ranks : {2, 1000}) {
      const Case what = ops.parse_case(fmt::format(
          "collective op_name=all_reduce nccl_dtype={} num_gpus={} message_size=64", dtype, ranks));
      std::string reasons;
      for (const KernelEntry* kernel : kernels.of("collective", "mpi"))
        reasons += kernel->why_unsupported(what.values, device) + "; ";
      EXPECT_THAT(reasons, HasSubstr("mpirun is not in PATH"));
    }
}

TEST_F(MpiLauncher, AnMpirunThatFailsIsAnError) {
  put_mpirun("exit 7");
  MpiDevice device("", test_rank_program());
  try {
    device.group(2);
    FAIL() << "was started";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("could not start 2 ranks (exit code 7)"));
  }
}

}  // namespace
}  // namespace perfatlas
