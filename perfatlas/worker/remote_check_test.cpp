// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/worker/remote_check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "perfatlas/backends/harness_fake.h"
#include "perfatlas/base/error.h"
#include "perfatlas/worker/remote_operands.h"

namespace perfatlas {
namespace {

/// The operands x, w, c and y of FakeStep as a worker loads them from their files.
using Loaded = std::vector<std::vector<float>>;

/// A worker in this process that launches FakeStep on files, with a fault of the test's choice.
struct FileWorker {
  std::function<void(Loaded&)> fault = [](Loaded&) {};
  std::vector<KernelsAnswer::Entry> kernels = {
      {"other", "other_kernel", ""}, {"files", "picky", "too small"}, {"files", "file_kernel", ""}};
  std::vector<std::string> overrun;
  std::vector<std::string> launched;

  WorkerAnswer operator()(const Request& request) {
    if (std::holds_alternative<KernelsRequest>(request)) return KernelsAnswer{kernels};
    const auto* launch = std::get_if<LaunchRequest>(&request);
    if (launch == nullptr) return FailedAnswer{"neither kernels nor launch"};
    launched.push_back(launch->what.kernel);
    const auto& operands = launch->what.offer.operands;
    Loaded data;
    for (const OfferedOperand& operand : operands) {
      data.emplace_back(size_t(operand.shape[0]) * size_t(operand.shape.size() > 1 ? operand.shape[1] : 1));
      RemoteOperands::read(operand, std::as_writable_bytes(std::span(data.back())));
    }
    const size_t n = data[0].size();
    for (size_t i = 0; i < n; ++i) {
      data[3][i] = data[0][i] * data[1][i] + data[2][i];
      data[2][n + i] = data[0][i];
    }
    fault(data);
    for (size_t i = 0; i < operands.size(); ++i)
      RemoteOperands::write(operands[i], std::as_bytes(std::span(data[i])));
    return LaunchAnswer{"file_kernel", overrun};
  }
};

WorkerAnswer answer_of(FileWorker& worker, const std::string& kernel = "") {
  const OpType op = make_op_type<FakeStep>();
  return check_remotely(make_case(op, FakeStep{100}), {"", "files", kernel, 3}, std::ref(worker));
}

std::vector<std::string> failures(FileWorker worker) {
  std::vector<std::string> names;
  const auto answer = std::get<CheckAnswer>(answer_of(worker));
  for (const CheckResult& result : answer.results)
    if (!result.passed && !result.skipped) names.push_back(result.name);
  return names;
}

TEST(RemoteCheck, AnHonestWorkerPassesWithTheFirstKernelThatSupportsTheCase) {
  FileWorker worker;
  const auto answer = std::get<CheckAnswer>(answer_of(worker));
  EXPECT_EQ(answer.kernel_source, "file_kernel");
  EXPECT_GE(worker.launched.size(), 3u);
  for (const std::string& kernel : worker.launched) EXPECT_EQ(kernel, "file_kernel");
  std::vector<std::string> passed;
  for (const CheckResult& result : answer.results) {
    EXPECT_TRUE(result.passed || result.skipped) << result.name << ": " << result.detail;
    if (result.passed) passed.push_back(result.name);
  }
  for (const char* const name :
       {"output shape and element type", "same inputs, same result", "inputs are not modified",
        "against the reference", "written KV cache", "KV cache is read"})
    EXPECT_EQ(std::count(passed.begin(), passed.end(), name), 1) << name;
}

TEST(RemoteCheck, FaultsAreFoundAsInAnyOtherKernel) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(failures({[](Loaded& data) { data[3][5] += 1; }}), Names{"against the reference"});
  EXPECT_EQ(failures({[](Loaded& data) { data[0][5] += 1; }}), Names{"inputs are not modified"});
  EXPECT_EQ(failures({[](Loaded& data) { data[2][150] += 1; }}), Names{"written KV cache"});
  FileWorker careless;
  careless.overrun = {"y"};
  EXPECT_EQ(failures(careless), Names{"output shape and element type"});
}

TEST(RemoteCheck, AnOutputThatIsNeverWrittenIsFound) {
  FileWorker lazy;
  // The fault puts back what stood there: the pattern of either run.
  lazy.fault = [run = 0](Loaded& data) mutable {
    std::memset(data[3].data(), run++ == 0 ? 0xa5 : 0x5a, 4 * data[3].size());
  };
  const std::vector<std::string> names = failures(lazy);
  EXPECT_NE(std::find(names.begin(), names.end(), "output shape and element type"), names.end());
}

TEST(RemoteCheck, WithoutAKernelTheReasonsAreTheAnswer) {
  FileWorker worker;
  const auto skipped = std::get<SkippedAnswer>(answer_of(worker, "picky"));
  EXPECT_EQ(skipped.reason, "picky: too small");
  EXPECT_EQ(std::get<SkippedAnswer>(answer_of(worker, "nobody")).reason,
            "the worker has no kernel 'nobody' of back end 'files' for this op");
  EXPECT_TRUE(worker.launched.empty());
}

TEST(RemoteCheck, AFailedLaunchFails) {
  const OpType op = make_op_type<FakeStep>();
  const AskWorker ask = [](const Request& request) -> WorkerAnswer {
    if (std::holds_alternative<KernelsRequest>(request)) return KernelsAnswer{{{"files", "k", ""}}};
    return FailedAnswer{"out of luck"};
  };
  const WorkerAnswer answer = check_remotely(make_case(op, FakeStep{8}), {"", "files", "", 1}, ask);
  EXPECT_EQ(std::get<FailedAnswer>(answer).error, "out of luck");
}

}  // namespace
}  // namespace perfatlas
