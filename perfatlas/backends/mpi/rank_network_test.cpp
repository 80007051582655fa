// SPDX-License-Identifier: Apache-2.0
// Groups whose ranks are started by another program and reached over the network, as between hosts; here on one.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "perfatlas/backends/harness.h"
#include "perfatlas/backends/harness_check.h"
#include "perfatlas/backends/mpi/mpi_fixture_test.h"
#include "perfatlas/base/error.h"
#include "perfatlas/ops/all_ops.h"

namespace perfatlas {
namespace {

constexpr const char* kSmall = "collective op_name={} nccl_dtype=float num_gpus=2 message_size=64";

class RankNetwork : public MpiTest {
 protected:
  void SetUp() override {
    MpiTest::SetUp();
    ::setenv("PERFATLAS_MPI_RANKS", "2", 1);
    ::setenv("PERFATLAS_MPI_FRONT", "127.0.0.1", 1);
    ::setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    ::setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    device_.use_launcher({"mpirun", "-np", "{ranks}", "--oversubscribe", "--bind-to", "none"});
  }
  void TearDown() override {
    ::unsetenv("PERFATLAS_MPI_RANKS");
    ::unsetenv("PERFATLAS_MPI_FRONT");
  }
  const KernelEntry* kernel_of(const Case& what) {
    for (const KernelEntry* kernel : kernels_.of("collective", "mpi"))
      if (kernel->why_unsupported(what.values, device_).empty()) return kernel;
    return nullptr;
  }

  OpRegistry ops_ = all_ops();
};

TEST_F(RankNetwork, CollectivesGiveTheReferencesResults) {
  for (const char* op : {"all_reduce", "all_gather", "all_to_all"}) {
    const Case what = ops_.parse_case(fmt::format(fmt::runtime(kSmall), op));
    const KernelEntry* const kernel = kernel_of(what);
    ASSERT_NE(kernel, nullptr);
    for (const HarnessCheck& result : check_kernel(what, *kernel, 1, device_))
      EXPECT_NE(result.verdict, Verdict::failed) << op << " " << result.name << ": " << result.detail;
  }
}

TEST_F(RankNetwork, EveryRanksTimeIsKeptAndTheSlowestIsTheSample) {
  const Case what = ops_.parse_case(fmt::format(fmt::runtime(kSmall), "all_reduce"));
  OperandStore store(device_);
  PreparedCase prepared({what, kernel_of(what), CacheState::serving}, device_, store);
  const Samples samples = prepared.sample({.warmups = 1, .repetitions = 5});
  const auto ranks = device_.rank_ms(samples.latency_ms.size());
  ASSERT_EQ(ranks.size(), samples.latency_ms.size());
  for (size_t i = 0; i < ranks.size(); ++i) {
    ASSERT_EQ(ranks[i].size(), 2u);
    EXPECT_DOUBLE_EQ(std::max(ranks[i][0], ranks[i][1]), samples.latency_ms[i]);
  }
  EXPECT_THAT(samples.launch_note, testing::HasSubstr("1 host: "));
}

TEST_F(RankNetwork, ALauncherThatIsNotThereIsAReasonNotACrash) {
  device_.use_launcher({"no-such-launcher"});
  EXPECT_THAT(device_.launcher_problem(), testing::HasSubstr("no-such-launcher is not in PATH"));
}

TEST(FrontAddress, ReadsBack) {
  const FrontAddress network{{}, "node7", 4242, 0x0123456789abcdef};
  EXPECT_EQ(format_address(network), "tcp:node7:4242:0123456789abcdef");
  const FrontAddress again = parse_address(format_address(network));
  EXPECT_EQ(again.host, "node7");
  EXPECT_EQ(again.port, 4242);
  EXPECT_EQ(again.secret, network.secret);
  EXPECT_EQ(parse_address("perfatlas-mpi-1-2").local, "perfatlas-mpi-1-2");
  EXPECT_THROW(parse_address("tcp:node7:x:0"), Error);
}

}  // namespace
}  // namespace perfatlas
