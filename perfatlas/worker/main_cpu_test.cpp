// SPDX-License-Identifier: Apache-2.0
// The real worker as a process of its own, over pipes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "perfatlas/base/error.h"
#include "perfatlas/worker/messages.h"
#include "perfatlas/worker/protocol_channel.h"

extern char** environ;

namespace perfatlas {
namespace {

/// A running worker; its standard input and output are the channel.
class WorkerProcess {
 public:
  explicit WorkerProcess(std::vector<std::string> arguments = {}) {
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) throw Error("no pipes");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    arguments.insert(arguments.begin(), PERFATLAS_WORKER);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    if (::posix_spawn(&pid_, PERFATLAS_WORKER, &actions, nullptr, argv.data(), environ) != 0)
      throw Error("the worker does not start");
    posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    channel_ = std::make_unique<ProtocolChannel>(ProtocolFds{out[0], in[1]});
  }

  WorkerAnswer ask(const Request& request) {
    channel_->write_line(format_request(++id_, request));
    const NumberedAnswer answer = parse_answer(channel_->read_line().value());
    EXPECT_EQ(answer.id, id_);
    return answer.answer;
  }
  ProtocolChannel& channel() { return *channel_; }

  /// Ends the input and returns the exit code, or -1 when a signal ended the worker.
  int end() {
    channel_.reset();
    int status = 0;
    ::waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = 0;
  int64_t id_ = 0;
  std::unique_ptr<ProtocolChannel> channel_;
};

SampleRequest sample(const std::string& case_text, CacheState cache) {
  SampleRequest request;
  request.what = {case_text, "onednn", "", 1};
  request.cache = cache;
  request.repetitions = 3;
  return request;
}

TEST(WorkerCpu, SaysHello) {
  WorkerProcess worker;
  const auto hello = std::get<HelloAnswer>(worker.ask(HelloRequest{}));
  EXPECT_EQ(hello.worker.rfind("perfatlas-worker-cpu ", 0), 0u) << hello.worker;
  EXPECT_TRUE(hello.backends.contains("onednn"));
  EXPECT_FALSE(hello.kernels.empty());
  EXPECT_EQ(worker.end(), 0);
}

TEST(WorkerCpu, SamplesAGemm) {
  WorkerProcess worker;
  const auto answer =
      std::get<SampleAnswer>(worker.ask(sample("gemm gemm_dtype=float32 m=4 n=64 k=64", CacheState::hot)));
  EXPECT_EQ(answer.kernel_source, "onednn_matmul_packed");
  ASSERT_EQ(answer.samples.latency_ms.size(), 3u);
  for (const double ms : answer.samples.latency_ms) EXPECT_GT(ms, 0);
  EXPECT_EQ(answer.samples.launch, LaunchMode::direct);
  EXPECT_EQ(worker.end(), 0);
}

TEST(WorkerCpu, ChecksAGemm) {
  WorkerProcess worker;
  const auto answer = std::get<CheckAnswer>(
      worker.ask(CheckRequest{{"gemm gemm_dtype=float32 m=5 n=33 k=65", "onednn", "", 1}}));
  for (const CheckResult& result : answer.results)
    EXPECT_TRUE(result.passed || result.skipped) << result.name << ": " << result.detail;
  EXPECT_EQ(worker.end(), 0);
}

TEST(WorkerCpu, SkipsFp8BlocksWithAReason) {
  WorkerProcess worker;
  const auto skipped =
      std::get<SkippedAnswer>(worker.ask(sample("gemm gemm_dtype=fp8_block m=4 n=64 k=64", CacheState::hot)));
  EXPECT_NE(skipped.reason.find("no fp8 type"), std::string::npos) << skipped.reason;
  EXPECT_EQ(worker.end(), 0);
}

TEST(WorkerCpu, SurvivesGarbageAndImpossibleCases) {
  WorkerProcess worker;
  worker.channel().write_line("{\"id\":");
  const NumberedAnswer answer = parse_answer(worker.channel().read_line().value());
  EXPECT_EQ(answer.id, 0);
  EXPECT_TRUE(std::holds_alternative<FailedAnswer>(answer.answer));
  const auto too_big = std::get<SkippedAnswer>(
      worker.ask(sample("gemm gemm_dtype=float32 m=1000000 n=1000000 k=1000000", CacheState::serving)));
  EXPECT_NE(too_big.reason.find("memory: needs"), std::string::npos) << too_big.reason;
  EXPECT_TRUE(std::holds_alternative<HelloAnswer>(worker.ask(HelloRequest{})));
  EXPECT_EQ(worker.end(), 0);
}

TEST(WorkerCpu, AWrongDeviceIsAUsageError) { EXPECT_EQ(WorkerProcess({"--devices", "9999"}).end(), 2); }
TEST(WorkerCpu, AnUnknownFlagIsAUsageError) { EXPECT_EQ(WorkerProcess({"--fast"}).end(), 2); }
TEST(WorkerCpu, HelpIsNoFailure) {
  WorkerProcess worker({"--help"});
  int lines = 0;
  while (worker.channel().read_line()) ++lines;  // to the end: a closed pipe would end the worker
  EXPECT_GT(lines, 5);
  EXPECT_EQ(worker.end(), 0);
}

}  // namespace
}  // namespace perfatlas
