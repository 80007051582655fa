// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/worker/serve.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "perfatlas/backends/harness_fake.h"
#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

/// A worker over the fake device, with one kernel that runs and one that refuses.
struct Worker {
  FakeDevice device;
  OpRegistry ops;
  KernelRegistry kernels;
  std::unique_ptr<WorkerParts> parts;
  std::unique_ptr<RequestServer> server;

  explicit Worker(FakeStepKernel::Launch fault = {}) {
    ops.add(make_op_type<FakeStep>());
    KernelEntry refusing = fake_step_kernel();
    refusing.name = "picky_kernel";
    refusing.why_unsupported = [](const FieldValues&, const Device&) {
      return std::string("needs a full moon");
    };
    kernels.add(refusing);
    kernels.add(fake_step_kernel(std::move(fault)));
    parts = std::make_unique<WorkerParts>(WorkerParts{
        "test worker", device, ops, kernels, {{"fake", "1.0"}}, [](double) { return MeasuredPeaks{}; }});
    server = std::make_unique<RequestServer>(*parts);
  }

  template <class A>
  A ask(const Request& request) {
    const WorkerAnswer answer = server->answer(request);
    if (const auto* failed = std::get_if<FailedAnswer>(&answer); failed && !std::is_same_v<A, FailedAnswer>)
      throw Error(failed->error);
    return std::get<A>(answer);
  }
};

KernelSelector any_kernel(const std::string& case_text = "fake_step n=100 cache_rows=2") {
  return {case_text, "fake", "", 1};
}

TEST(Serve, HelloNamesDeviceAndKernels) {
  const auto hello = Worker().ask<HelloAnswer>(HelloRequest{});
  EXPECT_EQ(hello.worker, "test worker");
  EXPECT_EQ(hello.device.llc_bytes, 1 << 20);
  ASSERT_EQ(hello.kernels.size(), 2u);
  EXPECT_EQ(hello.kernels[0].name, "picky_kernel");
  EXPECT_EQ(hello.backends.at("fake"), "1.0");
}

TEST(Serve, AnotherProtocolIsRefused) { Worker().ask<FailedAnswer>(HelloRequest{kProtocolVersion + 1}); }

TEST(Serve, TheBestKernelThatCanRunIsSampled) {
  const auto answer = Worker().ask<SampleAnswer>(SampleRequest{any_kernel()});
  EXPECT_EQ(answer.kernel_source, "fake_kernel");
  EXPECT_EQ(answer.samples.latency_ms.size(), size_t(SampleRequest{}.repetitions));
}

TEST(Serve, ASkipGivesTheReasonOfEveryKernel) {
  KernelSelector what = any_kernel();
  what.kernel = "picky_kernel";
  EXPECT_EQ(Worker().ask<SkippedAnswer>(SampleRequest{what}).reason, "picky_kernel: needs a full moon");
  what.kernel = "unknown_kernel";
  EXPECT_EQ(Worker().ask<SkippedAnswer>(CheckRequest{what}).reason,
            "test worker has no kernel 'unknown_kernel' of back end 'fake' for fake_step");
  what = any_kernel();
  what.backend = "elsewhere";
  EXPECT_EQ(Worker().ask<SkippedAnswer>(SampleRequest{what}).reason,
            "test worker has no kernel of back end 'elsewhere' for fake_step");
}

TEST(Serve, KernelsListsReasons) {
  const auto answer = Worker().ask<KernelsAnswer>(KernelsRequest{"fake_step n=3 cache_rows=2"});
  ASSERT_EQ(answer.kernels.size(), 2u);
  EXPECT_EQ(answer.kernels[0].reason, "needs a full moon");
  EXPECT_EQ(answer.kernels[1].reason, "");
}

TEST(Serve, CheckReportsEveryCheck) {
  const auto good = Worker().ask<CheckAnswer>(CheckRequest{any_kernel()});
  EXPECT_GE(good.results.size(), 8u);
  for (const CheckResult& result : good.results) EXPECT_TRUE(result.passed || result.skipped) << result.name;
  Worker wrong([](auto p, size_t) { p[3][0] += 1; });
  int failed = 0;
  for (const CheckResult& result : wrong.ask<CheckAnswer>(CheckRequest{any_kernel()}).results)
    failed += !result.passed && !result.skipped;
  EXPECT_EQ(failed, 1);
}

TEST(Serve, BadCasesAreFailuresWithTheirReason) {
  Worker worker;
  const auto failure = [&](const std::string& text) {
    return worker.ask<FailedAnswer>(SampleRequest{any_kernel(text)}).error;
  };
  EXPECT_NE(failure("nothing n=1").find("there is no op 'nothing'"), std::string::npos);
  EXPECT_NE(failure("fake_step").find("no new field=value pair"), std::string::npos);
  EXPECT_NE(failure("fake_step n=x cache_rows=2").find("is not an integer"), std::string::npos);
  EXPECT_NE(failure("fake_step n=0 cache_rows=2").find("n must be positive"), std::string::npos);
}

TEST(Serve, ACaseTooLargeForTheDeviceIsSkippedWithBothFigures) {
  Worker worker;
  const std::string huge = "fake_step n=100000000000 cache_rows=2";
  const std::string why = worker.ask<SkippedAnswer>(SampleRequest{any_kernel(huge)}).reason;
  EXPECT_NE(why.find("memory: needs "), std::string::npos) << why;
  EXPECT_NE(why.find(", has 0.79 GiB"), std::string::npos) << why;
  EXPECT_NE(worker.ask<SkippedAnswer>(CheckRequest{any_kernel(huge)}).reason.find("memory:"),
            std::string::npos);
}

TEST(Serve, AFailingDeviceIsAnAnswerAndTheNextRequestIsServed) {
  Worker worker;
  worker.device.before_run = [] { throw Error("the device is on fire"); };
  EXPECT_EQ(worker.ask<FailedAnswer>(SampleRequest{any_kernel()}).error, "the device is on fire");
  worker.device.before_run = nullptr;
  worker.ask<SampleAnswer>(SampleRequest{any_kernel()});
}

TEST(Serve, TheSameCaseIsPreparedOnce) {
  Worker worker;
  worker.ask<SampleAnswer>(SampleRequest{any_kernel()});
  const int allocations = worker.device.allocations;
  worker.ask<SampleAnswer>(SampleRequest{any_kernel()});
  EXPECT_EQ(worker.device.allocations, allocations);
}

TEST(Serve, LinesGoInAndAnswersComeOutUntilTheInputEnds) {
  int in[2], out[2];
  ASSERT_EQ(::pipe(in), 0);
  ASSERT_EQ(::pipe(out), 0);
  const std::string lines = "garbage\n" + format_request(7, HelloRequest{}) + "\n";
  ASSERT_EQ(::write(in[1], lines.data(), lines.size()), ssize_t(lines.size()));
  ::close(in[1]);
  {
    Worker worker;
    ProtocolChannel channel({in[0], out[1]});
    serve(channel, *worker.parts);
  }
  ProtocolChannel answers({out[0], ::dup(STDERR_FILENO)});
  const NumberedAnswer first = parse_answer(answers.read_line().value());
  EXPECT_EQ(first.id, 0);
  EXPECT_EQ(std::get<FailedAnswer>(first.answer).error, "protocol line is not one JSON object: 'garbage'");
  const NumberedAnswer second = parse_answer(answers.read_line().value());
  EXPECT_EQ(second.id, 7);
  EXPECT_TRUE(std::holds_alternative<HelloAnswer>(second.answer));
  EXPECT_EQ(answers.read_line(), std::nullopt);
}

}  // namespace
}  // namespace perfatlas
