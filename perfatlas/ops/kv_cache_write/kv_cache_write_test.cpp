// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/kv_cache_write/kv_cache_write.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace perfatlas {
namespace {

std::vector<HostOperand> zeros_for(const KvCacheWrite& op) {
  std::vector<HostOperand> data;
  for (const Operand& operand : op.operands()) {
    const auto count = size_t(operand.elements());
    const bool indices = operand.dtype == DType::int32;
    data.push_back(
        {operand, std::vector<float>(indices ? 0 : count), std::vector<int32_t>(indices ? count : 0)});
  }
  return data;
}

TEST(KvCacheWrite, ATokenLandsOnItsPageAtItsPositionInItsHead) {
  const KvCacheWrite op{.isl = 2, .kv_heads = 2, .head_dim = 2, .step = 63};
  std::vector<HostOperand> data = zeros_for(op);
  data[0].values = {1, 2, 3, 4, 5, 6, 7, 8};
  data[1].values = {-1, -2, -3, -4, -5, -6, -7, -8};
  data[4].indices = {1, 0};  // positions 0..63 on page 1, then page 0
  op.reference(data);
  const auto at = [](int page, int head, int position) {
    return size_t(((page * 2 + head) * 64 + position) * 2);
  };
  for (const size_t cache : {size_t(2), size_t(3)}) {
    const std::vector<float>& values = data[cache].values;
    const float sign = cache == 2 ? 1 : -1;
    EXPECT_EQ(values[at(1, 0, 63) + 1], 2 * sign);
    EXPECT_EQ(values[at(1, 1, 63)], 3 * sign);
    EXPECT_EQ(values[at(0, 0, 0)], 5 * sign);
    EXPECT_EQ(values[at(0, 1, 0) + 1], 8 * sign);
    EXPECT_EQ(std::count(values.begin(), values.end(), 0), int64_t(values.size()) - 8);
  }
}

TEST(KvCacheWrite, TheLatentComesBeforeTheRotatedPart) {
  const KvCacheWrite op{.head_dim = 3, .rope_dim = 1, .step = 1};
  ASSERT_EQ(op.operands().size(), 4U);
  std::vector<HostOperand> data = zeros_for(op);
  data[0].values = {1, 2};
  data[1].values = {3};
  op.reference(data);
  EXPECT_THAT(std::vector(data[2].values.begin(), data[2].values.begin() + 7),
              testing::ElementsAre(0, 0, 0, 1, 2, 3, 0));
}

TEST(KvCacheWrite, WorkIsTokenEquivalentButForThePageTable) {
  const auto bytes = [](int64_t batch, int64_t isl) {
    const Work work = KvCacheWrite{.batch = batch, .isl = isl, .kv_heads = 8}.work();
    EXPECT_EQ(work.kv_bytes_written, double(batch * isl) * 2 * 8 * 128 * 2);
    return work.bytes();
  };
  EXPECT_NEAR(bytes(1, 1024) / bytes(1024, 1), 1, 1e-3);
  EXPECT_NEAR(bytes(1, 1024) / bytes(32, 32), 1, 1e-3);
  KvCacheWrite op{.batch = 8, .isl = 3};
  EXPECT_EQ(KvCacheWrite::get_tokens(op), 24);
  KvCacheWrite::set_tokens(op, 7);
  EXPECT_EQ(KvCacheWrite::get_tokens(op), 7);
}

TEST(KvCacheWrite, ALatentIsHalfOfKeysAndValues) {
  const Work latent = KvCacheWrite{.isl = 64, .head_dim = 576, .rope_dim = 64}.work();
  EXPECT_EQ(latent.kv_bytes_written, 64 * 576 * 2);
}

TEST(KvCacheWrite, ModelGridHasContextAndGenerationSteps) {
  const OpType type = make_op_type<KvCacheWrite>();
  ModelShapes shapes;
  shapes.add(make_case<KvCacheWrite>(type, {.kv_heads = 8}));
  std::set<std::pair<int64_t, int64_t>> context, generation;
  KvCacheWrite::model_cases(shapes, [&](const KvCacheWrite& op) {
    (op.step == 0 ? context : generation).insert({op.batch, op.isl});
  });
  EXPECT_EQ(context.size(), std::size(kTokenLadder));
  EXPECT_EQ(generation.size(), std::size(kBatchLadder));
  EXPECT_TRUE(context.contains({1, 8192}));
  EXPECT_TRUE(generation.contains({256, 1}));
}

TEST(KvCacheWrite, SenselessCasesSayWhy) {
  EXPECT_NE(KvCacheWrite{.batch = 0}.why_invalid(), "");
  EXPECT_NE(KvCacheWrite{.step = -1}.why_invalid(), "");
  EXPECT_NE((KvCacheWrite{.dtype = DType::fp8_e4m3}.why_invalid()), "");
  EXPECT_EQ((KvCacheWrite{.kv_dtype = DType::int8}.why_invalid()),
            "an int8 cache needs scales, which this op does not have");
  EXPECT_EQ((KvCacheWrite{.head_dim = 64, .rope_dim = 64}.why_invalid()),
            "rope_dim must be 0 or less than head_dim");
  EXPECT_EQ((KvCacheWrite{.kv_heads = 2, .rope_dim = 64}.why_invalid()),
            "the latent cache (rope_dim above 0) has one head");
  EXPECT_EQ(KvCacheWrite{}.why_invalid(), "");
}

}  // namespace
}  // namespace perfatlas
