// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mla_module/mla_module.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "perfatlas/ops/mla_module/mla_reference.h"

namespace perfatlas {
namespace {

template <class Op>
std::vector<Op> published(const AicGrid& grid) {
  std::vector<Op> cases;
  Op::aic_cases(grid, [&](const Op& op) { cases.push_back(op); });
  return cases;
}

template <class Op>
bool all_valid_and_distinct(const std::vector<Op>& cases) {
  std::set<FieldValues> seen;
  return std::all_of(cases.begin(), cases.end(), [&](const Op& op) {
    return op.why_invalid().empty() && seen.insert(encode(op)).second;
  });
}

TEST(MlaModule, PublishedGridHasTheKnownCounts) {
  EXPECT_EQ(published<MlaContextModule>({.sm_version = 90}).size(), 3904);
  EXPECT_EQ(published<MlaContextModule>({.sm_version = 100}).size(), 2928);
  EXPECT_EQ(published<MlaGenerationModule>({.sm_version = 90}).size(), 5888);
  EXPECT_EQ(published<MlaGenerationModule>({.sm_version = 100}).size(), 4416);
  EXPECT_TRUE(all_valid_and_distinct(published<MlaContextModule>({.sm_version = 90})));
  EXPECT_TRUE(all_valid_and_distinct(published<MlaGenerationModule>({.sm_version = 100})));
}

TEST(MlaModule, SglangMeasuresFewerHeadsAndOneGemmType) {
  const auto cases = published<MlaContextModule>({.sm_version = 90, .framework = AicFramework::sglang});
  EXPECT_TRUE(all_valid_and_distinct(cases));
  EXPECT_TRUE(std::all_of(cases.begin(), cases.end(), [](const MlaContextModule& op) {
    return op.heads >= 16 && op.gemm == Quant::bf16 && op.batch * op.isl <= 131072 &&
           (op.isl < 8192 || op.batch <= 8);
  }));
}

TEST(MlaModule, ColumnsAreThoseOfPublishedTables) {
  const OpType type = make_op_type<MlaContextModule>();
  MlaContextModule op;
  op.gemm = Quant::fp8_block, op.heads = 128, op.isl = 32;
  EXPECT_EQ(fields_text(make_case(type, op)),
            "model=deepseek-ai/DeepSeek-V3 architecture=DeepseekV3ForCausalLM mla_dtype=bfloat16 "
            "kv_cache_dtype=bfloat16 gemm_type=fp8_block num_heads=128 batch_size=1 isl=32 tp_size=1 step=0");
}

TEST(MlaModule, DefaultsAreThoseOfTheOpNotOfTheSharedFields) {
  for (const OpType& type : {make_op_type<MlaContextModule>(), make_op_type<MlaGenerationModule>()})
    EXPECT_EQ(type.why_invalid(type.defaults()), "") << type.info.id;
}

TEST(MlaModule, WorkOfASmallCaseByHand) {
  MlaContextModule op({.heads = 2, .batch = 3, .isl = 4, .step = 5});
  op.architecture = Symbol("TinyMla");
  // hidden 96, q_lora 48, latent 512 + 64, heads of 128 + 64 and 128.
  const double weights = 96 * (48 + 576) + 2 * (48 * 192 + 512 * 256 + 128 * 96);
  const double pairs = 6 + 7 + 8 + 9;
  const Work work = op.work();
  EXPECT_EQ(work.flops, 2 * 12 * weights + 2 * 3 * 2 * (192 + 128) * pairs);
  EXPECT_EQ(work.weight_bytes_read, 2 * weights);
  EXPECT_EQ(work.kv_bytes_read, 3 * 5 * 576 * 2);
  EXPECT_EQ(work.kv_bytes_written, 12 * 576 * 2);
  EXPECT_EQ(work.bytes_written, 12 * 96 * 2);
  EXPECT_EQ(work.activation_bytes_read, 12 * 96 * 2 + 3 * 4);
}

TEST(MlaModule, ProjectionsAreTokenEquivalentAndAttentionIsNot) {
  MlaContextModule few, many;
  few.batch = 1, few.isl = 512, many.batch = 512, many.isl = 1;
  EXPECT_EQ(few.work().weight_bytes_read, many.work().weight_bytes_read);
  EXPECT_GT(few.work().flops, many.work().flops);
}

TEST(MlaModule, AbsorbedAndExpandedBlocksAgreeOnOneToken) {
  MlaModuleCase c{.architecture = Symbol("TinyMla"), .heads = 2, .step = 70};
  c.dtype = c.kv_dtype = DType::f32, c.gemm = Quant::f32;
  const MlaContextModule expanded(c);
  const MlaGenerationModule absorbed(c);
  std::vector<HostOperand> a, b;
  uint32_t state = 1;
  const auto fill = [&](const Operand& operand) {
    HostOperand host{operand, {}, {}};
    if (operand.dtype == DType::int32)
      host.indices.resize(size_t(operand.elements()));
    else
      host.values.resize(size_t(operand.elements()));
    if (operand.fill == Fill::custom) operand.content(1, host);
    if (operand.fill == Fill::page_table) host.indices = {1, 0};
    if (operand.fill != Fill::custom)
      for (float& value : host.values)
        value = float((state = state * 1664525 + 1013904223) >> 8) * 0x1p-24F * 0.2F - 0.1F;
    return host;
  };
  for (const Operand& operand : expanded.operands()) a.push_back(fill(operand));
  b.assign(a.begin(), a.begin() + mla_w_kv_at);
  // w_kv holds per head the rows of keys, then those of values.
  const MlaGeometry& g = c.geometry();
  for (const Operand& operand : absorbed.operands())
    if (b.size() < absorbed.operands().size() && operand.name == absorbed.operands()[b.size()].name)
      b.push_back({operand, std::vector<float>(size_t(operand.elements())), {}});
  for (int64_t row = 0; row < c.heads * (g.nope + g.v); ++row) {
    const int64_t head = row / (g.nope + g.v), within = row % (g.nope + g.v);
    const bool key = within < g.nope;
    const float* from = &a[mla_w_kv_at].values[size_t(row * g.kv_lora)];
    if (key)
      std::copy_n(from, g.kv_lora, &b[mla_w_uk_at].values[size_t((head * g.nope + within) * g.kv_lora)]);
    else
      for (int64_t j = 0; j < g.kv_lora; ++j)
        b[mla_w_uv_at].values[size_t((head * g.kv_lora + j) * g.v + within - g.nope)] = from[j];
  }
  expanded.reference(a);
  absorbed.reference(b);
  const std::vector<float>&x = a[mla_context_out_at].values, &y = b[mla_generation_out_at].values;
  ASSERT_EQ(x.size(), y.size());
  double largest = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    largest = std::max(largest, double(std::abs(x[i])));
    EXPECT_NEAR(x[i], y[i], 1e-6 + 1e-5 * std::abs(x[i]));
  }
  EXPECT_GT(largest, 1e-4);
  EXPECT_EQ(a[mla_cache_at].values, b[mla_cache_at].values);
}

TEST(MlaReference, RoundsToNearestEven) {
  EXPECT_EQ(rounded(1 + 0x1p-8, DType::bf16), 1);  // a tie: to the even mantissa
  EXPECT_EQ(rounded(1 + 3 * 0x1p-8, DType::bf16), 1 + 0x1p-6);
  EXPECT_EQ(rounded(-1 - 0x1p-7, DType::bf16), -1 - 0x1p-7);  // exact
  EXPECT_EQ(rounded(1 + 0x1p-11, DType::f16), 1);
  EXPECT_EQ(rounded(0, DType::bf16), 0);
  EXPECT_EQ(rounded(0.1, DType::f32), 0.1F);
}

TEST(MlaModule, SenselessCasesSayWhy) {
  MlaContextModule op;
  op.architecture = Symbol("LlamaForCausalLM");
  EXPECT_THAT(op.why_invalid(), testing::HasSubstr("unknown"));
  op = MlaContextModule();
  op.architecture = Symbol("DeepseekV32ForCausalLM");
  EXPECT_THAT(op.why_invalid(), testing::HasSubstr("sparse"));
  EXPECT_NE(MlaContextModule({.heads = 0}).why_invalid(), "");
  EXPECT_NE(MlaContextModule({.step = -1}).why_invalid(), "");
  EXPECT_NE(MlaContextModule({.dtype = DType::int8}).why_invalid(), "");
  EXPECT_THAT(MlaGenerationModule({.isl = 2}).why_invalid(), testing::HasSubstr("isl must be 1"));
}

TEST(MlaModule, ModelGridStaysWithinTheTokenGuards) {
  const OpType type = make_op_type<MlaGenerationModule>();
  ModelShapes shapes;
  shapes.add(make_case(type, MlaGenerationModule({.heads = 16})));
  std::vector<MlaGenerationModule> cases;
  MlaGenerationModule::model_cases(shapes, [&](const MlaGenerationModule& op) { cases.push_back(op); });
  EXPECT_TRUE(all_valid_and_distinct(cases));
  EXPECT_EQ(cases.size(), std::size(kBatchLadder) * std::size(kSequenceLadder));
  EXPECT_THAT(cases, testing::Each(testing::Field(&MlaModuleCase::heads, 16)));
}

}  // namespace
}  // namespace perfatlas
