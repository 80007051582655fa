// SPDX-License-Identifier: Apache-2.0
// The worker as a process on a machine whose GPUs are hidden: it starts without one and says so.
#include <gmock/gmock.h>

#include <string>

#include "perfatlas/worker/hidden_gpus_test.h"
#include "perfatlas/worker/messages.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

TEST(WorkerNccl, WithoutAGpuAnswersHelloWithTheReason) {
  const WorkerRun outcome = run_worker("", format_request(7, HelloRequest{}) + "\n");
  EXPECT_EQ(outcome.exit_code, 1);
  const NumberedAnswer answer = parse_answer(outcome.output.substr(0, outcome.output.find('\n')));
  EXPECT_EQ(answer.id, 7);
  EXPECT_THAT(std::get<FailedAnswer>(answer.answer).error, HasSubstr("no GPU can be used"));
}

TEST(WorkerNccl, AMalformedDeviceIsAUsageError) {
  const WorkerRun outcome = run_worker("--devices 0-x", "");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.output, HasSubstr("'0-x' names no GPUs"));
}

TEST(WorkerNccl, ARankStartedByHandSaysThatItIsNot) {
  const WorkerRun outcome = run_worker("--rank 0", "");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.output, HasSubstr("started by the worker itself"));
}

TEST(WorkerNccl, HelpNeedsNoDriver) { EXPECT_EQ(run_worker("--help", "").exit_code, 0); }

}  // namespace
}  // namespace perfatlas
