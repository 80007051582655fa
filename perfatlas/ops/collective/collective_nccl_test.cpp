// SPDX-License-Identifier: Apache-2.0
// Every kernel between GPUs against the reference: rank processes, buffers, counts and types are real; NCCL is a
// stand-in and the peer-memory kernels run on the host, block after block, in all ranks at once.
#include <gmock/gmock.h>

#include "perfatlas/backends/harness_check.h"
#include "perfatlas/backends/nccl/nccl_fixture_test.h"
#include "perfatlas/ops/collective/collective.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

constexpr std::string_view kLibrary = "flashinfer_", kPlain = "reference_";

class CollectiveNccl : public NcclTest {
 protected:
  /// What is wrong with any kernel that takes the case, of those whose names begin so.
  template <class Op>
  std::string check(const Op& op, std::string_view names = "") {
    static const OpType type = make_op_type<Op>();
    const Case what = make_case(type, op);
    std::string failures = std::string(op.why_invalid());
    for (const KernelEntry* kernel : kernels_.of(Op::info.id, "nccl")) {
      if (!kernel->name.starts_with(names)) continue;
      if (!kernel->why_unsupported(what.values, *device_).empty()) continue;
      ++checked_;
      for (const HarnessCheck& result : check_kernel(what, *kernel, 1, *device_))
        if (result.verdict == Verdict::failed)
          failures += case_text(what) + ": " + result.name + ": " + result.detail + "\n";
    }
    return failures;
  }

  std::unique_ptr<NcclDevice> device_ = front();
  int checked_ = 0;
};

TEST_F(CollectiveNccl, EveryCollectiveAndTypeAgreesWithTheReference) {
  for (const int64_t ranks : {2, 4})
    for (const MessageType type :
         {MessageType::half, MessageType::int8, MessageType::f32, MessageType::bf16}) {
      for (const CollectiveKind kind : {CollectiveKind::all_gather, CollectiveKind::all_to_all,
                                        CollectiveKind::reduce_scatter, CollectiveKind::all_reduce})
        EXPECT_EQ(check(Collective{kind, type, ranks, ranks * 33}), "");
      EXPECT_EQ(check(P2p{type, ranks, 100}), "");
    }
  EXPECT_EQ(checked_, 2 * 4 * 5);
}

TEST_F(CollectiveNccl, TheSumOfALibraryGetsSignalsAndMessagesOfAllRanks) {
  for (const int64_t ranks : {2, 4})
    for (const MessageType type : {MessageType::half, MessageType::bf16, MessageType::f32})
      for (const int64_t elements : {8, 4096})
        EXPECT_EQ(check(CustomAllReduce{.dtype = type, .ranks = ranks, .elements = elements}, kLibrary), "");
  EXPECT_EQ(checked_, 2 * 3 * 2);
}

TEST_F(CollectiveNccl, TheSumOfALibraryHasItsLimits) {
  const auto reason = [&](const CustomAllReduce& op) {
    return kernels_.of("custom_all_reduce", "nccl").at(0)->why_unsupported(encode(op), *device_);
  };
  EXPECT_THAT(reason({.ranks = 3}), HasSubstr("2, 4, 6 or 8 ranks"));
  EXPECT_THAT(reason({.dtype = MessageType::int8}), HasSubstr("float32, float16 and bfloat16"));
  EXPECT_THAT(reason({.elements = 1028}), HasSubstr("multiple of 16 bytes"));
  EXPECT_THAT(reason({.elements = int64_t(1) << 30}), HasSubstr("elements"));
  EXPECT_THAT(reason({.ranks = 8}), HasSubstr("8 ranks need a GPU each"));
  EXPECT_EQ(reason({.ranks = 4}), "");
  device_ = std::make_unique<NcclDevice>(NcclDevice::Front{"all", {}, &runtime_, &nccl_});
  EXPECT_THAT(reason({.ranks = 4}), HasSubstr("without the headers of FlashInfer"));
}

TEST_F(CollectiveNccl, SumsOverPeerMemoryAgreeWithTheReferenceInOneAndInTwoShots) {
  // Less than one element per rank, uneven parts, one block, several blocks, all blocks.
  for (const int64_t elements : {1, 7, 100, 2048 * 3 + 5, 2048 * 40})
    for (const int64_t ranks : {2, 3})
      EXPECT_EQ(
          check(CustomAllReduce{.dtype = MessageType::bf16, .ranks = ranks, .elements = elements}, kPlain),
          "");
  for (const MessageType type : {MessageType::half, MessageType::int8, MessageType::f32})
    EXPECT_EQ(check(CustomAllReduce{.dtype = type, .ranks = 2, .elements = 300}, kPlain), "");
  EXPECT_EQ(checked_, 2 * (5 * 2 + 3));
}

TEST_F(CollectiveNccl, PeerMemoryHasItsLimits) {
  const auto reason = [&](const CustomAllReduce& op) {
    return kernels_.of("custom_all_reduce", "nccl").at(1)->why_unsupported(encode(op), *device_);
  };
  EXPECT_THAT(reason({.ranks = 16}), HasSubstr("at most 8 ranks"));
  EXPECT_THAT(reason({.elements = int64_t(1) << 30}), HasSubstr("elements"));
  EXPECT_EQ(reason({.ranks = 4}), "");
}

}  // namespace
}  // namespace perfatlas
