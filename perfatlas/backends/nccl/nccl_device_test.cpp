// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/nccl/nccl_device.h"

#include <gmock/gmock.h>
#include <signal.h>

#include <thread>

#include "perfatlas/backends/harness.h"
#include "perfatlas/backends/nccl/nccl_fixture_test.h"
#include "perfatlas/backends/nccl/nccl_launcher.h"
#include "perfatlas/backends/nccl/nccl_rank.h"
#include "perfatlas/ops/all_ops.h"

namespace perfatlas {
namespace {

using testing::AnyOf;
using testing::Each;
using testing::HasSubstr;
using testing::ThrowsMessage;

class NcclDeviceTest : public NcclTest {
 protected:
  Samples sample(NcclDevice& device, const std::string& case_text, const char* kernel,
                 const SamplingOptions& options = {.warmups = 1, .repetitions = 3}) {
    OperandStore store(device);
    const Case what = ops_.parse_case(case_text);
    for (const KernelEntry* entry : kernels_.of(what.op->info.id, "nccl"))
      if (entry->name == kernel)
        return PreparedCase(CaseSetup{what, entry, CacheState::serving}, device, store).sample(options);
    throw Error("no such kernel");
  }

  OpRegistry ops_ = all_ops();
};

constexpr const char* kNccl = "collective op_name=all_reduce nccl_dtype=half num_gpus=2 message_size=64";
const std::string kOwn =
    "custom_all_reduce allreduce_dtype=bfloat16 num_gpus=2 message_size=64 implementation= backend=";

TEST_F(NcclDeviceTest, DescribesItsGpusWithoutMakingOneCurrent) {
  runtime_.failure = {"select", 1, cudaErrorDevicesUnavailable};
  const auto device = front();
  EXPECT_EQ(device->info().id, "cuda:0,1,2,3");
  EXPECT_EQ(device->info().name, "Fake GPU");
  EXPECT_EQ(device->info().versions.at("nccl"), "2.28.9");
  EXPECT_EQ(device->launcher_problem(), "");
}

TEST_F(NcclDeviceTest, RanksLaunchInAGraphAndTheSlowestIsReported) {
  const auto device = front();
  const Samples own = sample(*device, kOwn, "reference_one_shot");
  EXPECT_EQ(own.launch, LaunchMode::graph);
  EXPECT_EQ(own.launch_note, "");
  EXPECT_THAT(own.latency_ms, Each(1.0));  // FakeRuntime::work_ms
  EXPECT_EQ(sample(*device, kNccl, "nccl_default").launch, LaunchMode::graph);
}

TEST_F(NcclDeviceTest, AGroupLivesForManyCasesAndSurvivesAFailure) {
  const auto device = front();
  sample(*device, kNccl, "nccl_default");
  const std::vector<pid_t> pids = device->group(2).pids();
  EXPECT_EQ(pids.size(), 2u);
  // More than the stand-in takes.
  EXPECT_THAT(
      [&] {
        sample(*device, "collective op_name=all_reduce nccl_dtype=half num_gpus=2 message_size=16777216",
               "nccl_default");
      },
      ThrowsMessage<Error>(HasSubstr("ncclAllReduce failed: invalid usage")));
  sample(*device, kOwn, "reference_two_shot");
  EXPECT_EQ(device->group(2).pids(), pids);
}

TEST_F(NcclDeviceTest, AKilledRankEndsItsGroupAndSaysHow) {
  const auto device = front();
  sample(*device, kNccl, "nccl_default");
  ::kill(device->group(2).pids()[1], SIGKILL);
  try {
    sample(*device, kNccl, "nccl_default");
    FAIL() << "the loss went unnoticed";
  } catch (const RankLost& loss) {
    EXPECT_THAT(loss.reason, HasSubstr("of 2 is gone"));
    EXPECT_THAT(loss.reason, HasSubstr("rank 1: SIGKILL"));
  }
}

/// What befalls rank 1 of the groups that are started while it lives (fake_nccl_rank.cpp).
struct Fate {
  explicit Fate(const char* fate) { setenv("FAKE_RANK_1", fate, 1); }
  ~Fate() { unsetenv("FAKE_RANK_1"); }
};

// The stand-in aborts a rank that frees memory which another has open.
TEST_F(NcclDeviceTest, PeerMemoryIsFreedWhenNoRankHasItOpen) {
  const Fate late("closes late");
  const auto device = front();
  sample(*device, kOwn, "reference_one_shot");
  const std::vector<pid_t> pids = device->group(2).pids();
  sample(*device, kNccl, "nccl_default");
  sample(*device, kOwn, "reference_two_shot");
  device->group(2).release();
  EXPECT_EQ(device->group(2).pids(), pids);
}

TEST_F(NcclDeviceTest, ARankThatDiesWhileItGivesPeerMemoryBackEndsItsGroup) {
  const Fate death("dies closing");
  const auto device = front();
  sample(*device, kOwn, "reference_one_shot");
  const std::vector<pid_t> pids = device->group(2).pids();
  try {
    sample(*device, kNccl, "nccl_default");
    FAIL() << "the loss went unnoticed";
  } catch (const RankLost& loss) {
    EXPECT_THAT(loss.reason, HasSubstr("rank 1: exit code 7"));
  }
  for (const pid_t pid : pids) EXPECT_EQ(::kill(pid, 0), -1) << "a rank still waits for the other";
}

TEST_F(NcclDeviceTest, ARankThatCannotShareMemoryFailsTheCaseInAllRanks) {
  for (const char* const call : {"export_memory", "open_peer"}) {
    const Fate failure(call);
    const auto device = front();
    EXPECT_THAT([&] { sample(*device, kOwn, "reference_one_shot"); },
                ThrowsMessage<Error>(HasSubstr("the ranks do not see each other's memory; rank 1: ")))
        << call;
    const std::vector<pid_t> pids = device->group(2).pids();
    sample(*device, kOwn, "reference_one_shot");  // it fails once
    EXPECT_EQ(device->group(2).pids(), pids);
  }
}

TEST_F(NcclDeviceTest, ARankThatCannotStartIsAnError) {
  NcclDevice device({"all", {"/bin/false"}, &runtime_, &nccl_});
  EXPECT_THAT([&] { device.group(2); },
              // Whichever is seen first to have ended.
              ThrowsMessage<Error>(AnyOf(HasSubstr("2 ranks could not be started (rank 0: exit code 1)"),
                                         HasSubstr("2 ranks could not be started (rank 1: exit code 1)"))));
}

TEST_F(NcclDeviceTest, SaysWhyThereAreNoRanks) {
  const NcclLibrary missing{LibrarySearch{}};
  EXPECT_THAT(front("all", &missing)->launcher_problem(), HasSubstr("NCCL was not found"));
  const auto two = front("cuda:0-1");
  const Case four = ops_.parse_case("p2p nccl_dtype=half num_gpus=4 message_size=64");
  EXPECT_THAT(kernels_.of("p2p", "nccl").at(0)->why_unsupported(four.values, *two),
              HasSubstr("4 ranks need a GPU each, this worker has 2 (cuda:0,1)"));
  runtime_.devices = 0;
  EXPECT_THAT(front()->launcher_problem(), HasSubstr("CUDA_VISIBLE_DEVICES"));
  runtime_.driver_error = cudaErrorInsufficientDriver;
  EXPECT_THAT(front()->launcher_problem(), HasSubstr("cudaErrorInsufficientDriver"));
}

/// Device "a" of the fake NVML idles at 345 MHz and 75 W of 350, device "b" has 61 C and 512.5 W of 700.
constexpr const char *kUuidA = "GPU-00000000-0000-0000-0000-00000000000a",
                     *kUuidB = "GPU-00000000-0000-0000-0000-00000000000b";

TEST_F(NcclDeviceTest, SensorsAreThoseOfTheRanksGpusAsOne) {
  runtime_.uuids = {{0, kUuidA}, {1, kUuidB}, {2, "GPU-of-nobody"}};
  const auto device = front("cuda:0-1");
  EXPECT_EQ(device->sensors_reason(), "");
  EXPECT_EQ(device->info().versions.at("driver"), "580.0.1");
  EXPECT_FALSE(device->read_sensors().power_w);  // of no ranks yet
  sample(*device, kNccl, "nccl_default");
  const SensorReading after_idling = device->read_sensors();
  EXPECT_EQ(after_idling.clock_mhz, 345);  // NVML's lowest, since nothing ran after the last look
  EXPECT_EQ(after_idling.temperature_c, 61);
  EXPECT_EQ(after_idling.power_w, (75 + 512.5) / 2);
  EXPECT_EQ(after_idling.power_limit_w, (350 + 700.0) / 2);
  EXPECT_EQ(after_idling.throttle, "");
  setenv("FAKE_NVML_REASONS", "4", 1);
  EXPECT_EQ(device->read_sensors().throttle, "rank 0: power cap; rank 1: power cap");
  unsetenv("FAKE_NVML_REASONS");
}

TEST_F(NcclDeviceTest, SamplesSeeTheClockOfTheRanks) {
  const auto device = front("cuda:0-1");
  const Samples samples = sample(*device, kNccl, "nccl_default");
  EXPECT_NEAR(samples.after.clock_mhz.value(), 1500, 1);  // FakeRuntime::clock_mhz, not NVML's 1980
  EXPECT_EQ(samples.after.power_w, 512.5);
}

TEST_F(NcclDeviceTest, EnergyIsMeasuredWhereEveryCounterMoves) {
  const auto device = front("cuda:0-1");
  device->set_energy_window_ms(1);
  const SamplingOptions with_energy{.warmups = 1, .repetitions = 3, .measure_energy = true};
  setenv("FAKE_NVML_ENERGY_STEP", "100", 1);
  const Samples measured = sample(*device, kNccl, "nccl_default", with_energy);
  unsetenv("FAKE_NVML_ENERGY_STEP");
  EXPECT_THAT(measured.launch_note, HasSubstr("idle power"));
  // Two looks at one counter each time, a hundred millijoules a look.
  EXPECT_EQ(measured.after.energy_mj.value() - measured.before.energy_mj.value(), 200);
  setenv("FAKE_NVML_NO_ENERGY", "1", 1);
  EXPECT_FALSE(sample(*device, kNccl, "nccl_default", with_energy).after.energy_mj);
  unsetenv("FAKE_NVML_NO_ENERGY");
}

TEST_F(NcclDeviceTest, AGpuThatTellsNothingMakesTheWholeUnknown) {
  runtime_.uuids = {{0, kUuidA}, {1, "GPU-of-nobody"}};
  const auto device = front("cuda:0-1");
  EXPECT_THAT(device->sensors_reason(), HasSubstr("where CUDA has GPU-of-nobody"));
  const Samples samples = sample(*device, kNccl, "nccl_default");
  EXPECT_FALSE(samples.after.power_w);
  EXPECT_FALSE(samples.after.throttle);
  EXPECT_TRUE(samples.after.clock_mhz);  // the ranks' own
}

TEST_F(NcclDeviceTest, NamesGpusAsCudaDoes) {
  EXPECT_EQ(parse_gpus("cuda:0-2,5"), (std::vector<int>{0, 1, 2, 5}));
  EXPECT_EQ(parse_gpus("3"), std::vector<int>{3});
  for (const char* wrong : {"", "gpu0", "0-", "3-1", "0,,1", "-1", "0-99999"})
    EXPECT_THROW(parse_gpus(wrong), UsageError) << wrong;
  EXPECT_THAT([] { parse_gpus("0-2,1"); }, ThrowsMessage<UsageError>(HasSubstr("names a GPU twice")));
  EXPECT_THAT([&] { front("0,7"); }, ThrowsMessage<UsageError>(HasSubstr("cuda:7 does not exist")));
}

TEST(NcclRankArguments, AreOfTheWorkerAlone) {
  const char* const right[] = {"cuda:1", "1", "2", "socket"};
  const NcclRankArguments parsed = parse_rank_arguments(4, right);
  EXPECT_EQ(parsed.gpu + parsed.socket, "cuda:1socket");
  EXPECT_EQ(parsed.rank * 10 + parsed.ranks, 12);
  EXPECT_THROW(parse_rank_arguments(3, right), UsageError);
  const char* const wrong[] = {"cuda:1", "2", "2", "socket"};
  EXPECT_THROW(parse_rank_arguments(4, wrong), UsageError);
}

TEST(NcclUniqueId, SurvivesAsText) {
  ncclUniqueId id;
  for (size_t i = 0; i < sizeof id.internal; ++i) id.internal[i] = char(i * 7);
  EXPECT_EQ(hex_of(unique_id_of(hex_of(id))), hex_of(id));
  EXPECT_THROW(unique_id_of("00"), Error);
  EXPECT_THROW(unique_id_of(std::string(2 * sizeof id.internal, 'x')), Error);
}

}  // namespace
}  // namespace perfatlas
