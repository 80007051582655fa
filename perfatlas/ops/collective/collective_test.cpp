// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/collective/collective.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>

namespace perfatlas {
namespace {

using testing::ElementsAre;

constexpr CollectiveKind kKinds[] = {CollectiveKind::all_gather, CollectiveKind::all_to_all,
                                     CollectiveKind::reduce_scatter, CollectiveKind::all_reduce};

template <class Op>
std::vector<float> received(const Op& op, std::vector<float> sent) {
  std::vector<HostOperand> data;
  for (const Operand& operand : op.operands())
    data.push_back({operand, std::vector<float>(size_t(operand.elements())), {}});
  EXPECT_EQ(data[0].values.size(), sent.size());
  data[0].values = std::move(sent);
  op.reference(data);
  return data[1].values;
}

Collective two_ranks(CollectiveKind kind, MessageType dtype = MessageType::f32) {
  return {.kind = kind, .dtype = dtype, .ranks = 2, .elements = 4};
}

TEST(Collective, AllReduceGivesEveryRankTheSum) {
  EXPECT_THAT(received(two_ranks(CollectiveKind::all_reduce), {1, 2, 3, 4, 10, 20, 30, 40}),
              ElementsAre(11, 22, 33, 44, 11, 22, 33, 44));
}

TEST(Collective, ReduceScatterGivesEveryRankItsPartOfTheSum) {
  EXPECT_THAT(received(two_ranks(CollectiveKind::reduce_scatter), {1, 2, 3, 4, 10, 20, 30, 40}),
              ElementsAre(11, 22, 33, 44));
}

TEST(Collective, AllGatherPutsThePartsInRankOrder) {
  EXPECT_THAT(received(two_ranks(CollectiveKind::all_gather), {1, 2, 10, 20}),
              ElementsAre(1, 2, 10, 20, 1, 2, 10, 20));
}

TEST(Collective, AllToAllTransposesTheParts) {
  EXPECT_THAT(received(two_ranks(CollectiveKind::all_to_all), {1, 2, 3, 4, 10, 20, 30, 40}),
              ElementsAre(1, 2, 10, 20, 3, 4, 30, 40));
}

TEST(Collective, Int8SumsWrap) {
  EXPECT_THAT(
      received(two_ranks(CollectiveKind::all_reduce, MessageType::int8), {127, -128, 1, 0, 1, -1, 1, 0}),
      ElementsAre(-128, 127, 2, 0, -128, 127, 2, 0));
}

TEST(P2p, EveryRankReceivesFromTheOneBefore) {
  EXPECT_THAT(received(P2p{.dtype = MessageType::f32, .ranks = 3, .elements = 2}, {1, 2, 3, 4, 5, 6}),
              ElementsAre(5, 6, 1, 2, 3, 4));
}

TEST(CustomAllReduce, IsTheSameSumAsTheLibrarys) {
  EXPECT_THAT(received(CustomAllReduce{.dtype = MessageType::f32, .ranks = 2, .elements = 2}, {1, 2, 10, 20}),
              ElementsAre(11, 22, 11, 22));
}

/// (p-1)/p of the buffer leaves every rank, twice for all_reduce.
TEST(Collective, WorkIsTheBytesOfARingPerRank) {
  const auto bytes = [](CollectiveKind kind, int64_t ranks) {
    return Collective{kind, MessageType::half, ranks, 1000}.work().bytes();
  };
  EXPECT_DOUBLE_EQ(bytes(CollectiveKind::all_gather, 4), 1500);
  EXPECT_DOUBLE_EQ(bytes(CollectiveKind::reduce_scatter, 4), 1500);
  EXPECT_DOUBLE_EQ(bytes(CollectiveKind::all_to_all, 8), 1750);
  EXPECT_DOUBLE_EQ(bytes(CollectiveKind::all_reduce, 4), 3000);
  EXPECT_DOUBLE_EQ((P2p{.dtype = MessageType::int8, .ranks = 4, .elements = 1000}.work().bytes()), 1000);
}

TEST(Collective, AllReduceIsReduceScatterAndAllGather) {
  EXPECT_TRUE(rc::check([] {
    const int64_t ranks = *rc::gen::inRange<int64_t>(2, 65), part = *rc::gen::inRange<int64_t>(1, 1 << 20);
    const auto bytes = [&](CollectiveKind kind) {
      return Collective{kind, MessageType::half, ranks, ranks * part}.work().bytes();
    };
    RC_ASSERT(std::abs(bytes(CollectiveKind::all_reduce) - bytes(CollectiveKind::reduce_scatter) -
                       bytes(CollectiveKind::all_gather)) <= 1e-9 * bytes(CollectiveKind::all_reduce));
  }));
}

/// Token-equivalent: the same elements make the same work, and twice as many twice the work.
TEST(Collective, WorkIsProportionalToTheElements) {
  for (const CollectiveKind kind : kKinds) {
    const Collective once{kind, MessageType::half, 4, 4096}, twice{kind, MessageType::half, 4, 8192};
    EXPECT_DOUBLE_EQ(twice.work().bytes(), 2 * once.work().bytes());
    EXPECT_EQ(once.work().flops, 0);
  }
}

/// The larger of a rank's two buffers has `elements` elements.
TEST(Collective, ElementsCountTheLargerBufferOfARank) {
  for (const CollectiveKind kind : kKinds) {
    const Operands operands = Collective{kind, MessageType::half, 4, 4096}.operands();
    EXPECT_EQ(std::max(operands[0].shape[1], operands[1].shape[1]), 4096) << name_of(kind);
    for (const Operand& operand : operands) EXPECT_EQ(operand.shape[0], 4);
  }
}

TEST(Collective, ThePublishedGridHas504Cases) {
  std::map<int64_t, int> by_ranks;
  int cases = 0;
  int64_t smallest = INT64_MAX, largest = 0;
  Collective::aic_cases({}, [&](const Collective& op) {
    EXPECT_EQ(op.why_invalid(), "");
    ++cases, ++by_ranks[op.ranks];
    const auto bytes = int64_t(double(op.elements) * bytes_of(dtype_of(op.dtype)));
    smallest = std::min(smallest, bytes);
    largest = std::max(largest, bytes);
  });
  EXPECT_EQ(cases, 504);
  EXPECT_THAT(by_ranks, ElementsAre(testing::Pair(2, 168), testing::Pair(4, 168), testing::Pair(8, 168)));
  EXPECT_EQ(smallest, 512);
  EXPECT_EQ(largest, 512 << 20);
}

TEST(CustomAllReduce, ThePublishedGridHas23SizesPerRankCount) {
  std::map<int64_t, std::vector<int64_t>> sizes;
  CustomAllReduce::aic_cases({}, [&](const CustomAllReduce& op) { sizes[op.ranks].push_back(op.elements); });
  ASSERT_EQ(sizes.size(), 3u);
  for (const auto& [ranks, elements] : sizes) {
    EXPECT_EQ(elements.size(), 23u);
    EXPECT_EQ(elements.front(), 128);
    EXPECT_EQ(elements.back(), 1 << 29);
  }
}

TEST(Collective, ModelGridsScaleThePrototypeByTokens) {
  const OpType type = make_op_type<Collective>();
  ModelShapes shapes;
  shapes.add(make_case(type, Collective{.ranks = 4, .elements = kPrototypeTokens * 4096}));
  std::vector<int64_t> elements;
  Collective::model_cases(shapes, [&](const Collective& op) { elements.push_back(op.elements); });
  ASSERT_EQ(elements.size(), std::size(kTokenLadder));
  EXPECT_EQ(elements.front(), 4096);
  EXPECT_EQ(elements.back(), 8192 * 4096);
}

/// Names and order of the published columns, up to the measured ones.
TEST(Collective, ColumnsAreThoseOfPublishedTables) {
  const auto columns = [](const OpType& type) {
    std::vector<std::string_view> names;
    for (const FieldType& field : type.fields) names.push_back(field.column);
    return names;
  };
  EXPECT_THAT(columns(make_op_type<Collective>()),
              ElementsAre("op_name", "nccl_dtype", "num_gpus", "message_size"));
  EXPECT_THAT(columns(make_op_type<CustomAllReduce>()),
              ElementsAre("allreduce_dtype", "num_gpus", "message_size", "implementation", "backend"));
  const OpType type = make_op_type<Collective>();
  const Case c = parse_fields(type, "op_name=alltoall nccl_dtype=half num_gpus=2 message_size=256");
  EXPECT_EQ(fields_text(c), "op_name=alltoall nccl_dtype=half num_gpus=2 message_size=256");
}

TEST(Collective, SenselessCasesSayWhy) {
  EXPECT_NE(Collective{.ranks = 1}.why_invalid(), "");
  EXPECT_NE(Collective{.elements = 0}.why_invalid(), "");
  EXPECT_NE((Collective{.kind = CollectiveKind::all_gather, .ranks = 3, .elements = 4}.why_invalid()), "");
  EXPECT_EQ((Collective{.kind = CollectiveKind::all_reduce, .ranks = 3, .elements = 4}.why_invalid()), "");
  EXPECT_NE((P2p{.ranks = 1}.why_invalid()), "");
  EXPECT_NE(CustomAllReduce{.ranks = 0}.why_invalid(), "");
  EXPECT_EQ(Collective{}.why_invalid(), "");
  EXPECT_EQ(P2p{}.why_invalid(), "");
  EXPECT_EQ(CustomAllReduce{}.why_invalid(), "");
}

}  // namespace
}  // namespace perfatlas
