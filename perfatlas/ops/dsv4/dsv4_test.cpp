// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/dsv4/dsv4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "perfatlas/schema/derive.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

std::vector<OpType> all_types() {
  return {make_op_type<Dsv4CsaContext>(),     make_op_type<Dsv4HcaContext>(),
          make_op_type<Dsv4CsaGeneration>(),  make_op_type<Dsv4HcaGeneration>(),
          make_op_type<Dsv4PagedMqaLogits>(), make_op_type<Dsv4HcaAttn>(),
          make_op_type<Dsv4CsaAttn>(),        make_op_type<Dsv4CsaTopkCalib>()};
}

TEST(Dsv4, ColumnsAreThoseOfPublishedTables) {
  const std::string module =
      "model=deepseek-ai/DeepSeek-V4-Pro architecture=DeepseekV4ForCausalLM mla_dtype=bfloat16 "
      "kv_cache_dtype=fp8 "
      "gemm_type=fp8_block num_heads=128 batch_size=1 isl=1 tp_size=1 step=0 compress_ratio=";
  for (const OpType& type : all_types()) {
    const std::string text = fields_text({&type, type.defaults()});
    const bool hca = type.info.id.find("_hca_") != type.info.id.npos;
    const std::string mode = type.info.id == "dsv4_csa_topk_calib" ? " score_mode=v1_flat" : "";
    const bool kernel = type.find_field("local_num_heads").has_value();
    EXPECT_EQ(kernel, type.info.id.find("attn") != type.info.id.npos ||
                          type.info.id.find("logits") != type.info.id.npos);
    EXPECT_EQ(text, module + (hca ? "128" : "4") + (kernel ? " local_num_heads=128" : mode)) << type.info.id;
    EXPECT_EQ(type.info.table, std::string(type.info.id) + "_perf");
  }
}

TEST(Dsv4, TablesAreImportedOnly) {
  for (const OpType& type : all_types()) {
    EXPECT_FALSE(type.measurable()) << type.info.id;
    EXPECT_EQ(type.why_invalid(type.defaults()), "") << type.info.id;
    EXPECT_GT(type.work(type.defaults()).bytes(), 0) << type.info.id;
  }
}

TEST(Dsv4, HeadsOfOneRankAreASliceOfTheirOwn) {
  const OpType type = make_op_type<Dsv4CsaContext>();
  Dsv4CsaContext whole, half;
  half.heads = 64, half.tp = 2;
  EXPECT_NE(type.slice_of(encode(whole)), type.slice_of(encode(half)));
}

RC_GTEST_PROP(Dsv4, PairsEqualBruteForce, ()) {
  Dsv4Case c;
  c.compress = *rc::gen::element(kCsaRatio, kHcaRatio);
  c.batch = *rc::gen::inRange<int64_t>(1, 4);
  c.isl = *rc::gen::inRange<int64_t>(1, 300);
  c.step = *rc::gen::inRange<int64_t>(0, 6000);
  double window = 0, compressed = 0;
  for (int64_t i = 0; i < c.isl; ++i) {
    const int64_t seen = c.step + i + 1;
    window += double(std::min<int64_t>(seen, 128));
    compressed += double(c.compress == kCsaRatio ? std::min<int64_t>(seen / 4, 1024) : seen / 128);
  }
  const Dsv4Pairs pairs = dsv4_pairs(c, false);
  RC_ASSERT(pairs.window == double(c.batch) * window);
  RC_ASSERT(pairs.compressed == double(c.batch) * compressed);
}

TEST(Dsv4, SelectionBoundsTheWorkOfLongContexts) {
  Dsv4CsaGeneration csa;
  Dsv4HcaGeneration hca;
  csa.step = hca.step = 1 << 20;
  EXPECT_EQ(dsv4_pairs(csa, true).compressed, 1024);
  EXPECT_EQ(dsv4_pairs(hca, true).compressed, (1 << 20) / 128);
}

TEST(Dsv4, SenselessCasesSayWhy) {
  Dsv4CsaContext op;
  op.compress = kHcaRatio;
  EXPECT_THAT(std::string(op.why_invalid()), HasSubstr("another table"));
  op.compress = kCsaRatio;
  op.step = -1;
  EXPECT_THAT(std::string(op.why_invalid()), HasSubstr("step"));
  op.step = 0;
  op.heads = 0;
  EXPECT_THAT(std::string(op.why_invalid()), HasSubstr("positive"));
}

}  // namespace
}  // namespace perfatlas
