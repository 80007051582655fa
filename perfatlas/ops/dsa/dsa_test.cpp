// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/dsa/dsa.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "perfatlas/ops/dsa/dsa_reference.h"

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

DsaKernelCase tiny(int64_t batch, int64_t isl, int64_t step, int64_t heads = 1) {
  DsaKernelCase c{.heads = heads, .batch = batch, .isl = isl, .step = step};
  c.architecture = Symbol("TinyDsa");
  return c;
}

TEST(DsaModule, PublishedGridHasTheKnownCounts) {
  EXPECT_EQ(published<DsaContextModule>({.sm_version = 90}).size(), 3904);
  EXPECT_EQ(published<DsaGenerationModule>({.sm_version = 90}).size(), 5888);
  EXPECT_EQ(published<DsaContextModule>({.sm_version = 100}).size(), 11712);
  EXPECT_EQ(published<DsaGenerationModule>({.sm_version = 100}).size(), 17664);
  EXPECT_EQ(published<DsaContextModule>({.sm_version = 89}).size(), 0) << "the kernels need sm 90";
  EXPECT_TRUE(all_valid_and_distinct(published<DsaContextModule>({.sm_version = 100})));
  EXPECT_TRUE(all_valid_and_distinct(published<DsaGenerationModule>({.sm_version = 90})));
}

TEST(DsaModule, OnlySglangMeasuresReusedSelections) {
  EXPECT_TRUE(published<DsaContextModuleSkipIndexer>({.sm_version = 90}).empty());
  const auto cases =
      published<DsaGenerationModuleSkipIndexer>({.sm_version = 90, .framework = AicFramework::sglang});
  EXPECT_FALSE(cases.empty());
  EXPECT_TRUE(all_valid_and_distinct(cases));
  EXPECT_THAT(cases,
              testing::Each(testing::Field(&MlaModuleCase::architecture, Symbol("GlmMoeDsaForCausalLM"))));
}

TEST(DsaModule, ColumnsAreThoseOfPublishedTables) {
  const OpType type = make_op_type<DsaGenerationModule>();
  const MlaModuleCase c{.gemm = Quant::fp8_block, .batch = 1024, .step = 16384};
  EXPECT_EQ(
      fields_text(make_case(type, DsaGenerationModule(c))),
      "model=deepseek-ai/DeepSeek-V3.2 architecture=DeepseekV32ForCausalLM mla_dtype=bfloat16 "
      "kv_cache_dtype=bfloat16 gemm_type=fp8_block num_heads=1 batch_size=1024 isl=1 tp_size=1 step=16384");
}

TEST(DsaKernels, ColumnsAreThoseOfPublishedTables) {
  const OpType type = make_op_type<DsaTopk>();
  EXPECT_EQ(fields_text(make_case(type, DsaTopk{{.heads = 64, .isl = 1, .step = 4096}, ScoreMode::top_last})),
            "model=deepseek-ai/DeepSeek-V3.2 architecture=DeepseekV32ForCausalLM mla_dtype=bfloat16 "
            "kv_cache_dtype=bfloat16 gemm_type=bfloat16 num_heads=64 batch_size=1 isl=1 tp_size=1 step=4096 "
            "compress_ratio=1 score_mode=top_last");
  FieldValues values = type.defaults();
  Case published{&type, values};
  set_field(published, "mla_dtype", "fp8_e4m3");  // the spelling of these tables
  EXPECT_EQ(decode<DsaTopk>(published.values).dtype, DType::fp8_e4m3);
}

TEST(DsaKernels, DefaultsMakeSense) {
  for (const OpType& type :
       {make_op_type<DsaMqaLogits>(), make_op_type<DsaTopk>(), make_op_type<DsaAttention>(),
        make_op_type<DsaContextModule>(), make_op_type<DsaGenerationModule>(),
        make_op_type<DsaContextModuleSkipIndexer>(), make_op_type<DsaGenerationModuleSkipIndexer>()})
    EXPECT_EQ(type.why_invalid(type.defaults()), "") << type.info.id;
}

RC_GTEST_PROP(DsaShape, PairsEqualBruteForce, ()) {
  DsaShape s;
  s.isl = *rc::gen::inRange<int64_t>(1, 60);
  s.step = *rc::gen::inRange<int64_t>(0, 60);
  s.geometry.topk = *rc::gen::inRange<int64_t>(1, 130);
  double visible = 0, selected = 0, contested = 0;
  for (int64_t at = s.step; at < s.step + s.isl; ++at) {
    const int64_t seen = at + 1;
    visible += double(seen);
    selected += double(std::min(seen, s.geometry.topk));
    if (seen > s.geometry.topk) contested += double(seen);
  }
  RC_ASSERT(s.visible_pairs() == visible);
  RC_ASSERT(s.selected_pairs() == selected);
  RC_ASSERT(s.contested_pairs() == contested);
}

RC_GTEST_PROP(DsaSelection, IsAscendingDistinctVisibleAndFull, ()) {
  const DsaKernelCase c = tiny(*rc::gen::inRange<int64_t>(1, 4), *rc::gen::inRange<int64_t>(1, 90),
                               *rc::gen::inRange<int64_t>(0, 200));
  const DsaShape s = c.shape();
  HostOperand content{dsa_selection(s), {}, {}};
  content.indices.resize(size_t(content.declared.elements()));
  content.declared.content(*rc::gen::arbitrary<uint64_t>(), content);
  for (int64_t token = 0; token < s.tokens(); ++token)
    for (int64_t j = 0; j < s.geometry.topk; ++j) {
      const int32_t* row = &content.indices[size_t(token * s.geometry.topk)];
      if (j >= s.selected(token % s.isl)) {
        RC_ASSERT(row[j] == -1);
        continue;
      }
      RC_ASSERT(row[j] >= 0 && row[j] < s.visible(token % s.isl));
      if (j > 0) RC_ASSERT(row[j] > row[j - 1]);
    }
}

TEST(DsaKernels, WorkOfSmallCasesByHand) {
  // Two sequences of 3 new tokens after 62: they see 63, 64 and 65 positions and attend to at most 64.
  const Work logits = DsaMqaLogits{tiny(2, 3, 62)}.work();
  EXPECT_EQ(logits.flops, 2.0 * 2 * 12 * 80 * (63 + 64 + 65));
  EXPECT_EQ(logits.kv_bytes_read, 2.0 * 65 * 80 * 2);
  EXPECT_EQ(logits.activation_bytes_read, 6.0 * 12 * (80 * 2 + 4) + 2 * 2 * 4);
  EXPECT_EQ(logits.bytes_written, 4.0 * 2 * (63 + 64 + 65));
  const Work topk = DsaTopk{tiny(2, 3, 62)}.work();
  EXPECT_EQ(topk.activation_bytes_read, 4.0 * 2 * 65);
  EXPECT_EQ(topk.bytes_written, 4.0 * 6 * 64);
  const Work attention = DsaAttention{tiny(2, 3, 62, 5)}.work();
  EXPECT_EQ(attention.flops, 2.0 * 2 * 5 * (576 + 512) * (63 + 64 + 64));
  EXPECT_EQ(attention.kv_bytes_read, 2.0 * 64 * 576 * 2);
  EXPECT_EQ(attention.bytes_written, 6.0 * 5 * 512 * 2);
}

TEST(DsaAttention, IsTokenEquivalentAboveTopkOnly) {
  const DsaKernelCase long_one = tiny(1, 8, 200, 4), long_many = tiny(8, 1, 207, 4);
  EXPECT_EQ(DsaAttention{long_one}.work().flops, DsaAttention{long_many}.work().flops);
  EXPECT_EQ(DsaAttention{long_one}.work().bytes_written, DsaAttention{long_many}.work().bytes_written);
  EXPECT_NE(DsaAttention{tiny(1, 8, 0, 4)}.work().flops, DsaAttention{tiny(8, 1, 0, 4)}.work().flops);
}

TEST(DsaModule, SkippingTheIndexerSavesItsWeightsScoresAndCache) {
  MlaModuleCase c{.architecture = Symbol("TinyDsa"), .heads = 2, .batch = 3, .isl = 1, .step = 100};
  const Work own = DsaGenerationModule(c).work(), shared = DsaGenerationModuleSkipIndexer(c).work();
  const double weights = 96 * 80 + 12 * (48 * 80 + 96);  // hidden 96, q_lora 48, 12 index heads of 80
  EXPECT_EQ(own.weight_bytes_read - shared.weight_bytes_read, 2 * weights);
  EXPECT_EQ(own.flops - shared.flops, 2 * 3 * weights + 2 * 3 * 12 * 80 * 101);
  EXPECT_EQ(own.kv_bytes_read - shared.kv_bytes_read, 3 * 100 * 80 * 2);
  EXPECT_EQ(own.kv_bytes_written - shared.kv_bytes_written, 3 * 80 * 2);
}

TEST(DsaModule, NothingIsScoredWhileEverythingIsSelected) {
  MlaModuleCase c{.architecture = Symbol("TinyDsa"), .isl = 1, .step = 63};
  const Work below = DsaGenerationModule(c).work();
  c.step = 64;
  const Work above = DsaGenerationModule(c).work();
  EXPECT_EQ(below.kv_bytes_read, 63 * 576 * 2);
  EXPECT_EQ(above.kv_bytes_read, 63 * 576 * 2 + 64 * 80 * 2);
  EXPECT_EQ(above.flops - below.flops, 2 * 12 * 80 * 65);
}

TEST(DsaReference, LargestScoresAscendingLowerOnTies) {
  EXPECT_THAT(dsa_largest({3, 5, 1, 5, 4}, 3), testing::ElementsAre(1, 3, 4));
  EXPECT_THAT(dsa_largest({7, 7, 7}, 2), testing::ElementsAre(0, 1));
  EXPECT_THAT(dsa_largest({7, 8}, 5), testing::ElementsAre(0, 1));
}

TEST(DsaReference, KeepsAChoiceThatIsAsGoodWithinRoundingOnly) {
  const std::vector<double> scores = {1, 0.999, 0.2, 2};  // root mean square 1.23
  std::vector<int32_t> row = {1, 3};
  dsa_keep_or_choose(scores, 0.05, row);
  EXPECT_THAT(row, testing::ElementsAre(1, 3)) << "0.999 is as good as 1";
  dsa_keep_or_choose(scores, 1e-4, row);
  EXPECT_THAT(row, testing::ElementsAre(0, 3));
  for (const std::vector<int32_t>& wrong :
       {std::vector<int32_t>{2, 3}, {3, 0}, {3, 3}, {3, -1}, {3, 4}, {-1, 3}}) {
    row = wrong;
    dsa_keep_or_choose(scores, 0.05, row);
    EXPECT_THAT(row, testing::ElementsAre(0, 3)) << wrong[0] << ' ' << wrong[1];
  }
  row = {5, 5, 5};
  dsa_keep_or_choose({1, 2}, 0.05, row);
  EXPECT_THAT(row, testing::ElementsAre(0, 1, -1));
}

TEST(DsaReference, ScoreIsTheWeightedSumOfRectifiedProducts) {
  DsaShape s;
  s.geometry = {.index_heads = 2, .index_dim = 2};
  const float q[] = {1, 2, -1, -1}, weights[] = {3, 100}, key[] = {1, 1};
  EXPECT_EQ(dsa_score(s, q, weights, key), 3 * 3 + 100 * 0);
}

TEST(DsaReference, AttentionWeighsTheSelectedLatentsOnly) {
  DsaShape s;
  s.geometry = {.kv_lora = 2, .nope = 0, .rope = 1};
  const float cache[3][3] = {{4, 0, 0}, {100, 100, 100}, {8, 2, std::log(3.0F)}};
  const float q[] = {0, 0, 1};  // scores 0 and ln 3 over sqrt(1): weights 1/4 and 3/4
  const int32_t positions[] = {0, 2};
  float out[2];
  dsa_attend(
      s, q, positions, [&](int64_t position) { return cache[position]; }, out);
  EXPECT_FLOAT_EQ(out[0], 7);
  EXPECT_FLOAT_EQ(out[1], 1.5);
}

TEST(DsaKernels, SenselessCasesSayWhy) {
  DsaMqaLogits op;
  op.architecture = Symbol("DeepseekV3ForCausalLM");
  EXPECT_THAT(op.why_invalid(), testing::HasSubstr("indexer"));
  EXPECT_NE(DsaAttention{{.heads = 0}}.why_invalid(), "");
  EXPECT_NE(DsaTopk{{.step = -1}}.why_invalid(), "");
  EXPECT_NE(DsaTopk{{.compress = 4}}.why_invalid(), "");
  EXPECT_THAT(DsaGenerationModule({.isl = 2}).why_invalid(), testing::HasSubstr("isl must be 1"));
  EXPECT_NE(DsaContextModule({.kv_dtype = DType::int32}).why_invalid(), "");
}

TEST(DsaKernels, ModelGridIsBoundedByItsScores) {
  const OpType type = make_op_type<DsaMqaLogits>();
  ModelShapes shapes;
  shapes.add(make_case<DsaMqaLogits>(type, {}));
  std::vector<DsaMqaLogits> cases;
  DsaMqaLogits::model_cases(shapes, [&](const DsaMqaLogits& op) { cases.push_back(op); });
  EXPECT_TRUE(all_valid_and_distinct(cases));
  EXPECT_THAT(cases, testing::Contains(testing::Field(&DsaKernelCase::isl, 32768)));
  EXPECT_THAT(cases, testing::Contains(testing::Field(&DsaKernelCase::step, 32768)));
  for (const DsaMqaLogits& op : cases)
    EXPECT_LE(double(op.batch * op.isl) * double(op.step + op.isl), kMostDsaScores);
}

}  // namespace
}  // namespace perfatlas
