// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/harness_step.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "perfatlas/backends/harness_fake.h"

namespace perfatlas {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class PreparedStepTest : public testing::Test {
 protected:
  PreparedStepTest() {
    kernel = fake_step_kernel({}, [this](std::span<float* const> operands, size_t n) {
      sizes.push_back(n);
      inputs.insert(operands[0]);
      weights.insert(operands[1]);
      caches.insert(operands[2]);
    });
  }

  StepSetup two_ops_three_layers() const {
    const Case small = make_case(type, FakeStep{.n = 8}), large = make_case(type, FakeStep{.n = 16});
    return {{{small, &kernel}, {large, &kernel}}, {0, 1, 0, 1, 0, 1}, 1};
  }

  const OpType type = make_op_type<FakeStep>();
  KernelEntry kernel;
  FakeDevice device;
  OperandStore store{device};
  std::vector<size_t> sizes;
  std::set<void*> inputs, weights, caches;
};

TEST_F(PreparedStepTest, LaunchesRunInTheOrderGiven) {
  PreparedStep(two_ops_three_layers(), device, store).sample({.warmups = 0, .repetitions = 1});
  EXPECT_THAT(sizes, ElementsAre(8, 16, 8, 16, 8, 16, 8, 16, 8, 16, 8, 16))
      << "once as a whole, once op by op";
}

TEST_F(PreparedStepTest, EveryLaunchHasItsOwnWeightsAndCacheAndAllShareTheirActivations) {
  PreparedStep(two_ops_three_layers(), device, store).sample({.warmups = 2, .repetitions = 3});
  EXPECT_THAT(weights, SizeIs(6));
  EXPECT_THAT(caches, SizeIs(6));
  EXPECT_THAT(inputs, SizeIs(1));
}

TEST_F(PreparedStepTest, SamplesHaveOneEntryPerRepetitionInTotalAndPerUse) {
  const StepSamples samples =
      PreparedStep(two_ops_three_layers(), device, store).sample({.warmups = 0, .repetitions = 4});
  EXPECT_THAT(samples.total_ms, SizeIs(4));
  EXPECT_THAT(samples.uses_ms, ElementsAre(SizeIs(4), SizeIs(4)));
  EXPECT_EQ(samples.streamed_bytes, 3 * (8 + 16) * 4 * 3) << "one weight row and two cache rows per launch";
}

TEST_F(PreparedStepTest, TimeUpEndsTheSamplingAfterAtLeastOne) {
  const StepSamples samples = PreparedStep(two_ops_three_layers(), device, store)
                                  .sample({.warmups = 0, .repetitions = 1'000'000, .max_total_ms = 0});
  EXPECT_THAT(samples.total_ms, SizeIs(1));
}

TEST_F(PreparedStepTest, AStepThatDoesNotFitIsRefusedBeforeAnythingIsAllocated) {
  device.description.memory_bytes = 500;
  try {
    PreparedStep(two_ops_three_layers(), device, store);
    FAIL() << "was prepared";
  } catch (const OutOfMemory& error) {
    EXPECT_THAT(error.what(), HasSubstr("choose fewer layers"));
  }
  EXPECT_EQ(device.allocations, 0);
}

}  // namespace
}  // namespace perfatlas
