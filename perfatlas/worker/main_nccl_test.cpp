// SPDX-License-Identifier: Apache-2.0
// The worker as a process on a machine whose GPUs are hidden: it starts without one and says so.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <cstdio>
#include <string>

#include "perfatlas/worker/messages.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

struct Outcome {
  std::string output;
  int exit_code = -1;
};

/// Runs the worker with `input` as its standard input.
Outcome run_worker(const std::string& arguments, const std::string& input) {
  const std::string command =
      "printf '%s' '" + input + "' | CUDA_VISIBLE_DEVICES= " PERFATLAS_WORKER " " + arguments + " 2>&1";
  Outcome outcome;
  FILE* pipe = popen(command.c_str(), "r");
  char buffer[4096];
  while (const size_t got = fread(buffer, 1, sizeof buffer, pipe)) outcome.output.append(buffer, got);
  outcome.exit_code = WEXITSTATUS(pclose(pipe));
  return outcome;
}

TEST(WorkerNccl, WithoutAGpuAnswersHelloWithTheReason) {
  const Outcome outcome = run_worker("", format_request(7, HelloRequest{}) + "\n");
  EXPECT_EQ(outcome.exit_code, 1);
  const NumberedAnswer answer = parse_answer(outcome.output.substr(0, outcome.output.find('\n')));
  EXPECT_EQ(answer.id, 7);
  EXPECT_THAT(std::get<FailedAnswer>(answer.answer).error, HasSubstr("no GPU can be used"));
}

TEST(WorkerNccl, AMalformedDeviceIsAUsageError) {
  const Outcome outcome = run_worker("--devices 0-x", "");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.output, HasSubstr("'0-x' names no GPUs"));
}

TEST(WorkerNccl, ARankStartedByHandSaysThatItIsNot) {
  const Outcome outcome = run_worker("--rank 0", "");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.output, HasSubstr("started by the worker itself"));
}

TEST(WorkerNccl, HelpNeedsNoDriver) { EXPECT_EQ(run_worker("--help", "").exit_code, 0); }

}  // namespace
}  // namespace perfatlas
