// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/composed_kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perfatlas/backends/harness_fake.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

constexpr int64_t kElements = 8;

class ComposedKernelTest : public testing::Test {
 protected:
  void SetUp() override { kernels.add(fake_step_kernel()); }

  /// x -> y with weight and cache of the composed op; y of the first is x of the second.
  Composition two_steps() {
    using B = ComposedBuffer;
    const Case what = make_case(type, FakeStep{.n = kElements});
    const ComposedStep first{what, {B::operand(0), B::operand(1), B::operand(3), B::scratch(0)}};
    const ComposedStep second{what, {B::scratch(0), B::operand(2), B::operand(4), B::operand(5)}};
    return {{first, second}, &kernels, "fake"};
  }

  std::string error_of(const Composition& composition) {
    try {
      compose(composition, device);
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  }

  const OpType type = make_op_type<FakeStep>();
  KernelRegistry kernels;
  FakeDevice device;
};

TEST_F(ComposedKernelTest, StepsRunInOrderOnSharedAndIntermediateBuffers) {
  const auto kernel = compose(two_steps(), device);
  std::vector<std::vector<float>> data = {std::vector<float>(8, 3),  std::vector<float>(8, 2),
                                          std::vector<float>(8, 5),  std::vector<float>(16, 1),
                                          std::vector<float>(16, 4), std::vector<float>(8, 0)};
  std::vector<void*> operands;
  for (auto& values : data) operands.push_back(values.data());
  std::vector<char> workspace(kernel->workspace_bytes());
  kernel->launch(nullptr, operands, workspace.data());
  EXPECT_THAT(data[5], testing::Each(testing::FloatEq((3 * 2 + 1) * 5 + 4)));
  EXPECT_EQ(data[3][8], 3) << "the first step writes x into its cache";
  EXPECT_EQ(data[4][8], 7) << "the second step writes the intermediate result into its cache";
}

TEST_F(ComposedKernelTest, AStepWithoutKernelIsAReasonBeforeAnythingIsPrepared) {
  KernelRegistry none;
  Composition composition = two_steps();
  EXPECT_EQ(why_uncomposable(composition, device), "");
  composition.kernels = &none;
  EXPECT_THAT(why_uncomposable(composition, device), HasSubstr("fake_step: back end 'fake' has no kernel"));
  EXPECT_THAT(error_of(composition), HasSubstr("no kernel"));
}

TEST_F(ComposedKernelTest, AnInvalidStepIsAReason) {
  Composition composition = two_steps();
  std::get<ComposedStep>(composition.parts[0]).what = make_case(type, FakeStep{.n = 0});
  EXPECT_THAT(why_uncomposable(composition, device), HasSubstr("n must be positive"));
}

TEST_F(ComposedKernelTest, AMissingBindingIsRefused) {
  Composition composition = two_steps();
  std::get<ComposedStep>(composition.parts[1]).operands.pop_back();
  EXPECT_THAT(error_of(composition), HasSubstr("declares 4 operands, 3 are bound"));
}

/// Keeps operand 1 in a layout of its own.
class PackingKernel final : public PreparedKernel {
 public:
  size_t packed_bytes(size_t index) const override { return index == 1 ? 4 * kElements : 0; }
  void launch(Stream, std::span<void* const>, void*) override {}
};

TEST_F(ComposedKernelTest, OneOperandCannotHaveTwoLayouts) {
  KernelRegistry packing;
  packing.add({FakeStep::info.id, "packs", "fake",
               [](const FieldValues&, const Device&) { return std::string(); },
               [](const FieldValues&, Device&) { return std::make_unique<PackingKernel>(); }});
  Composition composition = two_steps();
  composition.kernels = &packing;
  EXPECT_EQ(compose(composition, device)->packed_bytes(2), 4 * kElements)
      << "the second step's weight is operand 2";
  std::get<ComposedStep>(composition.parts[1]).operands[1] = ComposedBuffer::operand(1);
  EXPECT_THAT(error_of(composition), HasSubstr("two steps want operand 1 in different layouts"));
  std::get<ComposedStep>(composition.parts[1]).operands[1] = ComposedBuffer::scratch(1);
  EXPECT_THAT(error_of(composition), HasSubstr("packs wants its own layout"));
}

/// Notes what it is told.
class ToldKernel final : public PreparedKernel {
 public:
  explicit ToldKernel(std::vector<size_t>& told) : told_(told) {}
  double allowed_error() const override { return 0.25; }
  void see_content(size_t index, const HostOperand&) override { told_.push_back(index); }
  void launch(Stream, std::span<void* const>, void*) override {}

 private:
  std::vector<size_t>& told_;
};

TEST_F(ComposedKernelTest, StepsAreToldTheContentOfTheirOperands) {
  std::vector<size_t> told;
  KernelRegistry telling;
  telling.add({FakeStep::info.id, "told", "fake",
               [](const FieldValues&, const Device&) { return std::string(); },
               [&](const FieldValues&, Device&) { return std::make_unique<ToldKernel>(told); }});
  Composition composition = two_steps();
  composition.kernels = &telling;
  const auto kernel = compose(composition, device);
  EXPECT_EQ(kernel->allowed_error(), 0.25);
  kernel->see_content(2, {});  // the weight of the second step
  EXPECT_THAT(told, testing::ElementsAre(1));
  std::get<ComposedStep>(composition.parts[0]).operands[3] = ComposedBuffer::operand(2, 4);
  compose(composition, device)->see_content(2, {});
  EXPECT_THAT(told, testing::ElementsAre(1, 1)) << "a part of an operand has another content";
}

TEST_F(ComposedKernelTest, GlueRunsBetweenSteps) {
  Composition composition = two_steps();
  const auto twice = [](Stream, std::span<void* const> places) {
    auto* const values = static_cast<float*>(places[0]);
    for (int64_t i = 0; i < kElements; ++i) values[i] *= 2;
  };
  composition.parts.insert(composition.parts.begin() + 1,
                           ComposedGlue{{ComposedBuffer::scratch(0)}, {4 * kElements}, twice});
  const auto kernel = compose(composition, device);
  std::vector<std::vector<float>> data(6, std::vector<float>(16, 1));
  std::vector<void*> operands;
  for (auto& values : data) operands.push_back(values.data());
  std::vector<char> workspace(kernel->workspace_bytes());
  kernel->launch(nullptr, operands, workspace.data());
  EXPECT_EQ(data[5][0], (1 * 1 + 1) * 2 * 1 + 1);
}

}  // namespace
}  // namespace perfatlas
