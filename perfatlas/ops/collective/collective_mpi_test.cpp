// SPDX-License-Identifier: Apache-2.0
// Open MPI's collectives against the reference, with real ranks.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <set>

#include "perfatlas/backends/harness_check.h"
#include "perfatlas/backends/mpi/mpi_fixture_test.h"
#include "perfatlas/backends/operand_convert.h"
#include "perfatlas/ops/collective/collective.h"
#include "perfatlas/ops/collective/collective_mpi_sum.h"

namespace perfatlas {
namespace {

/// One core: two ranks are more than it has, so both ways of running are tested on any machine.
class CollectiveMpi : public MpiTest {
 protected:
  /// Every kernel that takes the case; returns what failed, or nothing.
  template <class Op>
  std::string check(const Op& op, MpiDevice& device) {
    static const OpType type = make_op_type<Op>();
    const Case what = make_case(type, op);
    std::string failures = std::string(op.why_invalid());
    int kernels = 0;
    for (const KernelEntry* kernel : kernels_.of(Op::info.id, "mpi")) {
      if (!kernel->why_unsupported(what.values, device).empty()) continue;
      ++kernels;
      ran_.insert(std::string(kernel->name));
      for (const HarnessCheck& result : check_kernel(what, *kernel, 1, device))
        if (result.verdict == Verdict::failed)
          failures += case_text(what) + ": " + result.name + ": " + result.detail + "\n";
    }
    return kernels == 1 ? failures : failures + case_text(what) + ": not one kernel takes it";
  }

  std::set<std::string> ran_;
};

constexpr CollectiveKind kKinds[] = {CollectiveKind::all_gather, CollectiveKind::all_to_all,
                                     CollectiveKind::reduce_scatter, CollectiveKind::all_reduce};
constexpr MessageType kTypes[] = {MessageType::half, MessageType::int8, MessageType::f32, MessageType::bf16};

TEST_F(CollectiveMpi, EveryCollectiveAndTypeAgreesWithTheReferenceOn2And4Ranks) {
  MpiDevice one_core(std::to_string(device_.cores()[0]), test_rank_program());
  for (const CollectiveKind kind : kKinds)
    for (const MessageType dtype : kTypes)
      for (const int64_t ranks : {2, 4}) {
        EXPECT_EQ(check(Collective{kind, dtype, ranks, ranks * 33}, device_), "");
        EXPECT_EQ(check(Collective{kind, dtype, ranks, ranks * 33}, one_core), "");
      }
  for (const MessageType dtype : kTypes) EXPECT_EQ(check(P2p{dtype, 4, 100}, one_core), "");
  for (const char* kernel : {"openmpi_default_oversubscribed", "openmpi_perfatlas_sum_oversubscribed"})
    EXPECT_TRUE(ran_.contains(kernel)) << kernel;
  if (device_.cores().size() < 2) return;
  for (const char* kernel : {"openmpi_default", "openmpi_perfatlas_sum"})
    EXPECT_TRUE(ran_.contains(kernel)) << kernel;
}

/// Small and large messages take different algorithms inside MPI.
TEST_F(CollectiveMpi, RandomMessagesAgreeWithTheReference) {
  EXPECT_TRUE(rc::check([&] {
    const auto kind = *rc::gen::elementOf(std::vector<CollectiveKind>(std::begin(kKinds), std::end(kKinds)));
    const auto dtype = *rc::gen::elementOf(std::vector<MessageType>(std::begin(kTypes), std::end(kTypes)));
    const int64_t ranks = *rc::gen::inRange<int64_t>(2, 5);
    const int64_t scale = *rc::gen::elementOf(std::vector<int64_t>{1, 1, 17, 300});
    const int64_t part = scale * *rc::gen::inRange<int64_t>(8, 200);  // 8: not all zero by chance
    RC_ASSERT(check(Collective{kind, dtype, ranks, ranks * part}, device_) == "");
    RC_ASSERT(check(P2p{dtype, ranks, part}, device_) == "");
  }));
}

TEST_F(CollectiveMpi, RowsOfTooManyRanksHaveAKernelSourceOfTheirOwn) {
  const auto cores = int64_t(device_.cores().size());
  for (const KernelEntry* kernel : kernels_.of("p2p", "mpi")) {
    const bool marked = kernel->name.ends_with("_oversubscribed");
    const auto supported = [&](int64_t ranks) {
      return kernel->why_unsupported(encode(P2p{.ranks = ranks}), device_).empty();
    };
    EXPECT_EQ(supported(cores + 1), marked);
    EXPECT_TRUE(cores < 2 || supported(cores) == !marked);
    EXPECT_FALSE(supported(1000 * cores));
  }
}

/// In fp32, rounded to nearest even: what a conversion of the exact sum of two gives.
void expect_sums(DType dtype, void (*add)(void*, void*, int*, MPI_Datatype*)) {
  std::vector<std::byte> every(2 << 16);
  auto* const bits = reinterpret_cast<uint16_t*>(every.data());
  for (size_t i = 0; i < 1 << 16; ++i) bits[i] = uint16_t(i);
  const std::vector<float> values = decode_elements(dtype, every);
  for (const float other : {0.0F, 1.0F, -3.140625F, 1e-7F, 30000.0F}) {
    std::vector<std::byte> sums = encode_elements(dtype, std::vector<float>(every.size() / 2, other));
    const float rounded_other = decode_elements(dtype, sums)[0];
    std::vector<float> expected;
    for (const float value : values) expected.push_back(value + rounded_other);
    expected = decode_elements(dtype, encode_elements(dtype, expected));
    int count = int(values.size()) - 3;  // not a whole number of vectors
    add(every.data(), sums.data(), &count, nullptr);
    const std::vector<float> found = decode_elements(dtype, sums);
    for (size_t i = 0; i < size_t(count); ++i) {
      if (!std::isfinite(expected[i])) continue;
      ASSERT_EQ(found[i], expected[i]) << values[i] << " + " << other;
    }
    for (size_t i = size_t(count); i < found.size(); ++i) ASSERT_EQ(found[i], rounded_other);
  }
}

TEST(CollectiveMpiSum, EveryHalfIsAddedAndRoundedToNearest) { expect_sums(DType::f16, &add_half); }
TEST(CollectiveMpiSum, EveryBfloat16IsAddedAndRoundedToNearest) { expect_sums(DType::bf16, &add_bfloat16); }

TEST(CollectiveMpiSum, Int8Wraps) {
  std::vector<int8_t> in(100, 100), sum(100, 100);
  int count = 99;
  add_int8(in.data(), sum.data(), &count, nullptr);
  EXPECT_EQ(sum, [] {
    std::vector<int8_t> expected(100, -56);
    expected[99] = 100;
    return expected;
  }());
}

TEST(CollectiveMpiSum, ABfloat16NanStaysOne) {
  for (const uint16_t nan : {0x7F81, 0x7FFF, 0xFFC0}) {
    uint16_t in = nan, sum = 0x3F80;
    int count = 1;
    add_bfloat16(&in, &sum, &count, nullptr);
    EXPECT_GT(sum & 0x7FFF, 0x7F80) << nan;
  }
}

}  // namespace
}  // namespace perfatlas
