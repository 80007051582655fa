// SPDX-License-Identifier: Apache-2.0
// The real worker as a process of its own, over pipes.
#include <gtest/gtest.h>

#include <chrono>

#include "perfatlas/base/process.h"
#include "perfatlas/worker/messages.h"

namespace perfatlas {
namespace {

using namespace std::chrono_literals;

class WorkerGgml : public testing::Test {
 protected:
  WorkerAnswer ask(const Request& request) {
    EXPECT_TRUE(worker_.send_line(format_request(1, request), 5s));
    const auto line = worker_.wait_line(120s);
    return line ? parse_answer(*line).answer : FailedAnswer{"no answer"};
  }
  static SampleRequest sample(const std::string& case_text, CacheState cache) {
    SampleRequest request;
    request.what = {case_text, "ggml", "", 1};
    request.cache = cache;
    request.repetitions = 3;
    return request;
  }
  void expect_check_passes(const std::string& case_text) {
    const WorkerAnswer answer = ask(CheckRequest{{case_text, "ggml", "", 1}});
    ASSERT_TRUE(std::holds_alternative<CheckAnswer>(answer)) << case_text;
    for (const CheckResult& result : std::get<CheckAnswer>(answer).results)
      EXPECT_TRUE(result.passed || result.skipped)
          << case_text << ": " << result.name << ": " << result.detail;
  }

 private:
  ChildProcess worker_ = ChildProcess::spawn({{PERFATLAS_WORKER, "--protocol-fds", "3,4"}, "/dev/null"});
};

TEST_F(WorkerGgml, SaysHelloWithTheVersionOfItsLibrary) {
  const auto hello = std::get<HelloAnswer>(ask(HelloRequest{}));
  EXPECT_EQ(hello.worker.rfind("perfatlas-worker-ggml ", 0), 0u) << hello.worker;
  EXPECT_EQ(hello.backends.at("ggml"), hello.device.versions.at("ggml"));
  ASSERT_FALSE(hello.kernels.empty());
  for (const auto& kernel : hello.kernels) EXPECT_EQ(kernel.backend, "ggml");
}

TEST_F(WorkerGgml, SamplesInEveryCacheState) {
  for (const CacheState cache : {CacheState::hot, CacheState::serving, CacheState::cold}) {
    const WorkerAnswer answer = ask(sample("gemm gemm_dtype=q4_K m=4 n=64 k=256", cache));
    if (const auto* failed = std::get_if<FailedAnswer>(&answer)) {
      // Where the system does not tell its cache size, only the hot state can be had.
      EXPECT_NE(failed->error.find("last-level cache"), failed->error.npos) << failed->error;
      continue;
    }
    const auto& samples = std::get<SampleAnswer>(answer);
    EXPECT_EQ(samples.kernel_source.rfind("ggml_mul_mat", 0), 0u) << samples.kernel_source;
    ASSERT_EQ(samples.samples.latency_ms.size(), 3u);
    for (const double ms : samples.samples.latency_ms) EXPECT_GT(ms, 0);
  }
}

TEST_F(WorkerGgml, ChecksGemmAndAttention) {
  expect_check_passes("gemm gemm_dtype=q8_0 m=5 n=64 k=256");
  expect_check_passes(
      "attention_generation batch_size=2 isl=1 num_heads=4 num_key_value_heads=2 head_dim=64 window_size=0 "
      "beam_width=1 attn_dtype=float16 kv_cache_dtype=q8_0 step=100");
}

TEST_F(WorkerGgml, SkipsFp8WithAReason) {
  const auto skipped =
      std::get<SkippedAnswer>(ask(sample("gemm gemm_dtype=fp8 m=4 n=64 k=64", CacheState::hot)));
  EXPECT_NE(skipped.reason.find("fp8"), skipped.reason.npos) << skipped.reason;
}

}  // namespace
}  // namespace perfatlas
