// SPDX-License-Identifier: Apache-2.0
// The worker as a process on a machine whose GPUs are hidden: it starts without one and says so.
#include <gmock/gmock.h>

#include <cstdlib>
#include <string>

#include "perfatlas/worker/hidden_gpus_test.h"
#include "perfatlas/worker/messages.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

TEST(WorkerCuda, WithoutAGpuAnswersHelloWithTheReason) {
  const std::string request = format_request(7, HelloRequest{});
  const WorkerRun outcome = run_worker("", request + "\n");
  EXPECT_EQ(outcome.exit_code, 1);
  const NumberedAnswer answer = parse_answer(outcome.output.substr(0, outcome.output.find('\n')));
  EXPECT_EQ(answer.id, 7);
  EXPECT_THAT(std::get<FailedAnswer>(answer.answer).error, HasSubstr("no CUDA device"));
}

TEST(WorkerCuda, AMalformedLineIsAnsweredToo) {
  const WorkerRun outcome = run_worker("", "garbage\n");
  const NumberedAnswer answer = parse_answer(outcome.output.substr(0, outcome.output.find('\n')));
  EXPECT_EQ(answer.id, 0);
  EXPECT_TRUE(std::holds_alternative<FailedAnswer>(answer.answer));
}

TEST(WorkerCuda, AMalformedDeviceIsAUsageError) {
  const WorkerRun outcome = run_worker("--devices gpu0", "");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.output, HasSubstr("'gpu0'"));
}

TEST(WorkerCuda, HelpAndVersionNeedNoDriver) {
  EXPECT_EQ(run_worker("--help", "").exit_code, 0);
  EXPECT_EQ(run_worker("--version", "").exit_code, 0);
  EXPECT_EQ(run_worker("--no-such-option", "").exit_code, 2);
}

}  // namespace
}  // namespace perfatlas
