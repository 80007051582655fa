// SPDX-License-Identifier: Apache-2.0
// The real worker and its ranks as processes of their own, over pipes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "perfatlas/base/error.h"
#include "perfatlas/base/process.h"
#include "perfatlas/base/text.h"
#include "perfatlas/worker/messages.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr const char* kCase = "collective op_name=all_gather nccl_dtype=half num_gpus=2 message_size=1024";

class WorkerMpi : public testing::Test {
 protected:
  ChildProcess start(const std::string& devices = "") {
    return ChildProcess::spawn(
        {{PERFATLAS_WORKER, "--devices", devices, "--protocol-fds", "3,4"}, "/dev/null"});
  }
  static WorkerAnswer ask(ChildProcess& worker, const Request& request) {
    EXPECT_TRUE(worker.send_line(format_request(1, request), 5s));
    const auto line = worker.wait_line(60s);
    return line ? parse_answer(*line).answer : FailedAnswer{"no answer"};
  }
  static SampleRequest sample(const std::string& case_text) {
    return {.what = {case_text, "mpi", "", 1}, .repetitions = 3};
  }
  void need_mpirun() {
    if (std::system("command -v mpirun >/dev/null 2>&1") != 0) GTEST_SKIP() << "mpirun is missing";
  }
};

/// Processes that are ranks of a front: the socket's name, their last argument, holds its process id.
std::vector<std::string> ranks_of(pid_t front) {
  std::vector<std::string> ranks;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    std::ifstream file(entry.path() / "cmdline");
    const std::string command((std::istreambuf_iterator<char>(file)), {});
    const bool is_rank = command.rfind(std::string(PERFATLAS_WORKER) + '\0' + "--rank" + '\0', 0) == 0;
    if (is_rank && command.find("perfatlas-mpi-" + std::to_string(front) + "-") != command.npos)
      ranks.push_back(entry.path().string());
  }
  return ranks;
}

TEST_F(WorkerMpi, SaysHelloWithItsLibraryVersion) {
  ChildProcess worker = start();
  const auto hello = std::get<HelloAnswer>(ask(worker, HelloRequest{}));
  EXPECT_EQ(hello.worker.rfind("perfatlas-worker-mpi ", 0), 0u) << hello.worker;
  EXPECT_TRUE(parse_real(hello.backends.at("mpi").substr(0, 1)).has_value()) << hello.backends.at("mpi");
  EXPECT_EQ(hello.backends.at("mpi"), hello.device.versions.at("openmpi"));
}

TEST_F(WorkerMpi, SamplesACollective) {
  need_mpirun();
  if (IsSkipped()) return;
  ChildProcess worker = start();
  const auto answer = std::get<SampleAnswer>(ask(worker, sample(kCase)));
  ASSERT_EQ(answer.samples.latency_ms.size(), 3u);
  for (const double ms : answer.samples.latency_ms) EXPECT_GT(ms, 0);
  EXPECT_EQ(answer.kernel_source.rfind("openmpi_default", 0), 0u) << answer.kernel_source;
}

TEST_F(WorkerMpi, LeavesInOrderAndTakesItsRanksAlong) {
  need_mpirun();
  if (IsSkipped()) return;
  ChildProcess worker = start();
  (void)ask(worker, sample(kCase));
  EXPECT_EQ(ranks_of(worker.pid()).size(), 2u);
  worker.close_requests();
  const ExitStatus status = worker.wait(10s);
  EXPECT_EQ(status.code, 0) << status.text();
  EXPECT_TRUE(ranks_of(worker.pid()).empty());
}

TEST_F(WorkerMpi, AKilledFrontTakesItsRanksAlong) {
  need_mpirun();
  if (IsSkipped()) return;
  ChildProcess worker = start();
  (void)ask(worker, sample(kCase));
  ASSERT_EQ(ranks_of(worker.pid()).size(), 2u);
  ::kill(worker.pid(), SIGKILL);
  worker.wait(1s);
  for (int i = 0; i < 500 && !ranks_of(worker.pid()).empty(); ++i) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(ranks_of(worker.pid()).empty());
}

TEST_F(WorkerMpi, IndivisibleMessagesAreRefusedInWords) {
  ChildProcess worker = start();
  const auto failed = std::get<FailedAnswer>(
      ask(worker, sample("collective op_name=all_gather nccl_dtype=half num_gpus=3 message_size=1024")));
  EXPECT_THAT(failed.error, HasSubstr("divisible by ranks"));
}

TEST_F(WorkerMpi, ProbingIsLeftToAnotherBackEnd) {
  ChildProcess worker = start();
  EXPECT_THAT(std::get<FailedAnswer>(ask(worker, ProbeRequest{})).error, HasSubstr("onednn"));
}

TEST_F(WorkerMpi, AWrongDeviceIsAUsageError) { EXPECT_EQ(start("9999").wait(10s).code, 2); }

}  // namespace
}  // namespace perfatlas
