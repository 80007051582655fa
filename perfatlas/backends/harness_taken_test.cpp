// SPDX-License-Identifier: Apache-2.0
// Kernels that take operands in another element type or layout than declared.
#include <gtest/gtest.h>

#include <algorithm>

#include "perfatlas/backends/harness_check.h"
#include "perfatlas/backends/harness_fake.h"
#include "perfatlas/backends/harness_placement.h"
#include "perfatlas/backends/operand_convert.h"

namespace perfatlas {
namespace {

/// FakeStep with x in bf16, y in f16 and the cache back to front.
class ForeignStepKernel final : public PreparedKernel {
 public:
  ForeignStepKernel(int64_t n, bool writes_declared_type) : n_(size_t(n)), lies_(writes_declared_type) {}

  std::optional<DType> taken_dtype(size_t index) const override {
    if (index == 0) return DType::bf16;
    if (index == 3) return DType::f16;
    return std::nullopt;
  }
  size_t packed_bytes(size_t index) const override {
    return index == 2 ? cache_elements() * sizeof(float) : 0;
  }
  void pack(size_t, const void* declared, void* packed) override {
    const auto* from = static_cast<const float*>(declared);
    std::reverse_copy(from, from + cache_elements(), static_cast<float*>(packed));
  }
  void unpack(size_t, const void* packed, void* declared) override { pack(2, packed, declared); }

  void launch(Stream, std::span<void* const> operands, void*) override {
    const std::vector<float> x =
        decode_elements(DType::bf16, {static_cast<const std::byte*>(operands[0]), 2 * n_});
    const auto* w = static_cast<const float*>(operands[1]);
    auto* const cache_end = static_cast<float*>(operands[2]) + cache_elements();
    std::vector<float> y;
    for (size_t i = 0; i < n_; ++i) y.push_back(x[i] * w[i] + cache_end[-1 - ptrdiff_t(i)]);
    for (size_t i = 0; i < n_; ++i) cache_end[-1 - ptrdiff_t(n_ + i)] = x[i];
    const std::vector<std::byte> bytes = encode_elements(lies_ ? DType::bf16 : DType::f16, y);
    std::copy(bytes.begin(), bytes.end(), static_cast<std::byte*>(operands[3]));
  }

 private:
  size_t cache_elements() const { return 2 * n_; }

  size_t n_;
  bool lies_;
};

KernelEntry foreign_kernel(bool lies) {
  return {FakeStep::info.id, "foreign", "fake",
          [](const FieldValues&, const Device&) { return std::string(); },
          [lies](const FieldValues& values, Device&) {
            return std::make_unique<ForeignStepKernel>(decode<FakeStep>(values).n, lies);
          }};
}

TEST(TakenOperands, AreConvertedOnTheWayInAndJudgedAsTheyAre) {
  const OpType op = make_op_type<FakeStep>();
  FakeDevice device;
  for (const HarnessCheck& check :
       check_kernel(make_case(op, FakeStep{100}), foreign_kernel(false), 1, device))
    EXPECT_NE(check.verdict, Verdict::failed) << check.name << ": " << check.detail;
}

TEST(TakenOperands, AResultInAnotherTypeThanAnnouncedIsWrong) {
  const OpType op = make_op_type<FakeStep>();
  FakeDevice device;
  bool found = false;
  for (const HarnessCheck& check :
       check_kernel(make_case(op, FakeStep{100}), foreign_kernel(true), 1, device))
    found = found || (check.name == "against the reference" && check.verdict == Verdict::failed);
  EXPECT_TRUE(found);
}

TEST(TakenOperands, ArePlacedWithTheirOwnSize) {
  const OpType op = make_op_type<FakeStep>();
  const ForeignStepKernel kernel(1000, false);
  const PlacementPlan plan = plan_placement(make_case(op, FakeStep{1000}), CacheState::hot, 0, &kernel);
  EXPECT_EQ(plan.slots[0].bytes, 2000u);
  EXPECT_EQ(plan.slots[0].dtype, DType::bf16);
  EXPECT_EQ(plan.slots[1].bytes, 4000u);
  EXPECT_EQ(plan.slots[3].bytes, 2000u);
}

/// Streams of block types start with a block wherever the rotation is.
TEST(TakenOperands, SlicesOfBlockTypesAreWholeBlocks) {
  class BlockWeights final : public PreparedKernel {
   public:
    std::optional<DType> taken_dtype(size_t index) const override {
      return index == 1 ? std::optional(DType::q6_k) : std::nullopt;
    }
    void launch(Stream, std::span<void* const>, void*) override {}
  };
  const OpType op = make_op_type<FakeStep>();
  const Case what = make_case(op, FakeStep{4096});
  BlockWeights kernel;
  FakeDevice device;
  OperandStore store(device);
  const PlacedOperands placed(what, plan_placement(what, CacheState::serving, 1 << 20, &kernel), 1, store,
                              &kernel);
  ASSERT_GT(placed.rotation(), 2u);
  const auto* const arena =
      static_cast<std::byte*>(store.arena(ArenaUse::stream, DType::q6_k, 0).memory.get());
  for (const auto& set : placed.next_sets(placed.rotation()))
    EXPECT_EQ((static_cast<std::byte*>(set[1]) - arena) % block_of(DType::q6_k).bytes, 0);
}

}  // namespace
}  // namespace perfatlas
