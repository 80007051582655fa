// SPDX-License-Identifier: Apache-2.0
// The request loop of perfatlas-worker-cuda over a GPU that is none: protocol, harness, device and gemm together.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/backends/cuda/cuda_kernels.h"
#include "perfatlas/backends/cuda/fake_runtime.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/moe/moe.h"
#include "perfatlas/worker/serve.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

struct CudaWorker : testing::Test {
  std::shared_ptr<FakeRuntime> runtime = std::make_shared<FakeRuntime>();
  CudaDevice device{runtime, "cuda:0", {{{PERFATLAS_FAKE_LIBRARIES, false}}}};
  OpRegistry ops = all_ops();
  KernelRegistry kernels;
  bool ended_by_error = false;

  /// Answers to all requests, in order; fewer when the loop ended early.
  std::vector<WorkerAnswer> serve_all(const std::vector<Request>& requests) {
    add_all_cuda_kernels(kernels);
    const WorkerParts parts{"test", device, ops, kernels, {}, [](double) { return MeasuredPeaks{}; }};
    int in[2], out[2];
    if (pipe(in) != 0 || pipe(out) != 0) throw Error("no pipes");
    std::string lines;
    for (size_t i = 0; i < requests.size(); ++i) lines += format_request(int64_t(i), requests[i]) + "\n";
    if (write(in[1], lines.data(), lines.size()) != ssize_t(lines.size())) throw Error("short write");
    close(in[1]);
    {
      ProtocolChannel channel({in[0], out[1]});
      try {
        serve(channel, parts);
      } catch (const Error&) {
        ended_by_error = true;
      }
    }
    ProtocolChannel back({out[0], dup(STDERR_FILENO)});
    std::vector<WorkerAnswer> answers;
    while (const auto line = back.read_line()) answers.push_back(parse_answer(*line).answer);
    return answers;
  }

  static SampleRequest sample(const char* case_text, CacheState cache) {
    SampleRequest request;
    request.what.case_text = case_text;
    request.cache = cache;
    request.repetitions = 3;
    request.min_sample_ms = 0;
    return request;
  }
};

TEST_F(CudaWorker, SamplesEveryCacheStateAndGivesEverythingBack) {
  std::vector<Request> requests;
  for (const CacheState cache : {CacheState::hot, CacheState::serving, CacheState::cold})
    requests.push_back(sample("gemm gemm_dtype=bfloat16 m=2 n=64 k=64", cache));
  for (const WorkerAnswer& answer : serve_all(requests)) {
    const auto* sampled = std::get_if<SampleAnswer>(&answer);
    ASSERT_NE(sampled, nullptr) << std::get<FailedAnswer>(answer).error;
    EXPECT_EQ(sampled->kernel_source, "cublaslt_matmul");
    EXPECT_EQ(sampled->samples.latency_ms.size(), 3u);
    // What the samples saw, or NVML's where every launch is timed by itself.
    const bool cold = sampled->samples.cache == CacheState::cold;
    EXPECT_NEAR(sampled->samples.after.clock_mhz.value(), cold ? 1980 : 1500, 1);
    EXPECT_EQ(sampled->samples.launch, LaunchMode::graph);
    EXPECT_EQ(sampled->samples.launch_note, "");
  }
  EXPECT_EQ(runtime->live_graphs + runtime->live_events, 0u);
}

TEST_F(CudaWorker, TellsKernelsTheRoutingBeforeTheyAreTimed) {
  const OpType moe = make_op_type<Moe>();
  const std::string text =
      case_text(make_case(moe, Moe{.tokens = 4, .hidden = 32, .inter = 32, .topk = 2, .experts = 8}));
  SampleRequest experts = sample(text.c_str(), CacheState::serving);
  experts.what.kernel = "cublas_grouped_gemm";
  const auto answers = serve_all({experts});
  const auto* sampled = std::get_if<SampleAnswer>(&answers.at(0));
  ASSERT_NE(sampled, nullptr) << std::get<FailedAnswer>(answers[0]).error;
  EXPECT_EQ(sampled->samples.launch, LaunchMode::graph);
}

TEST_F(CudaWorker, SkipsWithAReasonWhatHasNoKernelOrNoRoom) {
  const auto answers = serve_all({sample("gemm gemm_dtype=w4afp8 m=2 n=128 k=128", CacheState::hot),
                                  sample("gemm gemm_dtype=bfloat16 m=65536 n=65536 k=65536", CacheState::hot),
                                  HelloRequest{}});
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_THAT(std::get<SkippedAnswer>(answers[0]).reason, HasSubstr("no w4afp8 kernel in this build"));
  EXPECT_THAT(std::get<SkippedAnswer>(answers[1]).reason, HasSubstr("memory: needs"));
  EXPECT_TRUE(std::holds_alternative<HelloAnswer>(answers[2]));
  EXPECT_FALSE(ended_by_error);
}

constexpr char kNorm[] = "rms_norm dtype=bfloat16 num_tokens=4 hidden_size=64";

/// Every call of the runtime that a sample makes.
constexpr const char* kCalls[] = {"allocate", "copy",       "synchronize",   "create_event",
                                  "record",   "elapsed_ms", "begin_capture", "end_capture",
                                  "upload",   "launch",     "hold",          "run"};

TEST_F(CudaWorker, AnswersAFailureOfAnyCallAndGoesOn) {
  for (const char* call : kCalls)
    for (const int nth : {1, 2}) {
      runtime->failure = {call, nth, cudaErrorInvalidValue};
      SampleRequest reference = sample(kNorm, CacheState::hot);
      reference.what.kernel = "reference";
      const auto answers = serve_all({reference, reference});
      ASSERT_EQ(answers.size(), 2u) << call;
      EXPECT_FALSE(ended_by_error) << call;
      // What fails while a graph is made is no failure of the case: it runs eagerly.
      if (const auto* failed = std::get_if<FailedAnswer>(&answers[0])) {
        EXPECT_THAT(failed->error, HasSubstr("cudaErrorInvalidValue"));
      }
      EXPECT_TRUE(std::holds_alternative<SampleAnswer>(answers[1])) << call << ' ' << nth;
      EXPECT_EQ(runtime->live_graphs + runtime->live_events, 0u) << call;
    }
}

TEST_F(CudaWorker, EndsAfterAStickyErrorOfAnyCall) {
  for (const char* call : kCalls) {
    runtime->context_lost = ended_by_error = false;
    runtime->failure = {call, 1, cudaErrorIllegalAddress};
    SampleRequest reference = sample(kNorm, CacheState::hot);
    reference.what.kernel = "reference";
    const auto answers = serve_all({reference, reference});
    ASSERT_EQ(answers.size(), 1u) << call;
    EXPECT_THAT(std::get<FailedAnswer>(answers[0]).error, HasSubstr("cudaErrorIllegalAddress")) << call;
    EXPECT_TRUE(ended_by_error) << call;
  }
}

TEST_F(CudaWorker, AHangEndsWithItsProcessAndTheNextOneServes) {
  SampleRequest reference = sample(kNorm, CacheState::hot);
  reference.what.kernel = "reference";
  for (const char* call : {"synchronize", "launch", "allocate"}) {
    const pid_t hanging = ::fork();
    if (hanging == 0) {
      runtime->hangs_at = call;
      serve_all({reference});
      ::_exit(0);
    }
    ::usleep(200 * 1000);  // a deadline
    EXPECT_EQ(::waitpid(hanging, nullptr, WNOHANG), 0) << call;
    ::kill(hanging, SIGKILL);
    int status = 0;
    EXPECT_EQ(::waitpid(hanging, &status, 0), hanging);
    EXPECT_TRUE(WIFSIGNALED(status)) << call;
  }
  EXPECT_TRUE(std::holds_alternative<SampleAnswer>(serve_all({reference}).at(0)));
}

TEST_F(CudaWorker, CapturesOwnKernelsAndReportsTheClockOfTheSamples) {
  SampleRequest reference = sample(kNorm, CacheState::hot);
  reference.what.kernel = "reference";
  const auto answers = serve_all({reference});
  const auto& sampled = std::get<SampleAnswer>(answers.at(0));
  EXPECT_EQ(sampled.samples.launch, LaunchMode::graph);
  EXPECT_NEAR(sampled.samples.after.clock_mhz.value(), 1500, 1);
}

TEST_F(CudaWorker, RepeatsShortLaunchesUntilLaunchingIsASmallPart) {
  runtime->work_ms = 0.01;
  runtime->graph_launch_ms = 0.005;
  SampleRequest reference = sample(kNorm, CacheState::hot);
  reference.what.kernel = "reference";
  const auto launches = [&] {
    return std::get<SampleAnswer>(serve_all({reference}).at(0)).samples.launches_per_sample;
  };
  EXPECT_EQ(launches(), 1);
  device.measure_launching();
  EXPECT_EQ(launches(), 11);  // 0.01 ms each and 0.005 ms once: a sample has more than 20 times that once
}

TEST_F(CudaWorker, NotesTheIdlePowerBesideEnergy) {
  setenv("FAKE_NVML_ENERGY_STEP", "100", 1);
  device.set_energy_window_ms(1);
  SampleRequest reference = sample(kNorm, CacheState::hot);
  reference.what.kernel = "reference";
  reference.measure_energy = true;
  const auto answers = serve_all({reference});
  unsetenv("FAKE_NVML_ENERGY_STEP");
  const Samples& samples = std::get<SampleAnswer>(answers.at(0)).samples;
  EXPECT_THAT(samples.launch_note, testing::MatchesRegex("idle power [0-9.]+ W"));
  EXPECT_GT(samples.after.energy_mj.value(), samples.before.energy_mj.value());
}

TEST_F(CudaWorker, SaysWhichKernelsRanWhenAsked) {
  device.trace_kernels({{{PERFATLAS_FAKE_LIBRARIES, false}}});
  SampleRequest reference = sample(kNorm, CacheState::hot);
  reference.what.kernel = "reference";
  const auto answers = serve_all({reference, reference});
  for (const WorkerAnswer& answer : answers)
    EXPECT_EQ(std::get<SampleAnswer>(answer).samples.launch_note,
              "kernels: first (12.30 us), second (1.50 us)");
}

TEST_F(CudaWorker, NamesEveryOpOfAStepForProfilers) {
  StepRequest step;
  step.cases = {"gemm gemm_dtype=bfloat16 m=2 n=64 k=64"};
  step.order = {0, 0};
  step.repetitions = 1;
  const auto answers = serve_all({step});
  ASSERT_TRUE(std::holds_alternative<StepAnswer>(answers.at(0)));
  EXPECT_EQ(runtime->ranges, std::vector<std::string>(2, "gemm gemm_dtype=bfloat16 m=2 n=64 k=64"));
  EXPECT_EQ(runtime->open_ranges, 0);
}

TEST_F(CudaWorker, EndsAfterItsAnswerWhenTheDeviceIsLost) {
  runtime->context_lost = true;
  const auto answers =
      serve_all({sample("gemm gemm_dtype=bfloat16 m=2 n=64 k=64", CacheState::hot), HelloRequest{}});
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_THAT(std::get<FailedAnswer>(answers[0]).error, HasSubstr("a new worker process is needed"));
  EXPECT_TRUE(ended_by_error);
}

}  // namespace
}  // namespace perfatlas
