// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/case_question.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perfatlas/base/error.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/attention/attention.h"
#include "perfatlas/ops/dsv4/dsv4.h"
#include "perfatlas/ops/gdn/gdn.h"
#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/ops/mla_bmm/mla_bmm.h"
#include "perfatlas/ops/msa/msa.h"
#include "perfatlas/ops/quantize/quantize.h"
#include "perfatlas/ops/wide_ep_mla/wide_ep_mla.h"

namespace perfatlas::aic {
namespace {

class CaseQuestionTest : public testing::Test {
 protected:
  template <class Declared>
  CaseQuestion ask(const Declared& op) {
    return question_of(make_case(ops_.get(Declared::info.id), op)).value();
  }
  OpRegistry ops_ = all_ops();
};

TEST_F(CaseQuestionTest, FieldsAndTokensAreThoseOfTheCase) {
  const CaseQuestion asked = ask(perfatlas::Gemm{.dtype = Quant::fp8_block, .m = 100, .n = 64, .k = 32});
  const Gemm& gemm = std::get<Gemm>(asked.op.value);
  EXPECT_EQ(gemm.n, 64);
  EXPECT_EQ(gemm.k, 32);
  EXPECT_EQ(gemm.quant, QuantMode::fp8_block);
  EXPECT_EQ(asked.at.tokens, 100);
}

TEST_F(CaseQuestionTest, PrefillHasAPrefixAndDecodeALength) {
  const CaseQuestion prefill =
      ask(AttentionContext{.batch = 2, .isl = 100, .heads = 16, .kv_heads = 4, .step = 28});
  EXPECT_TRUE(prefill.at.context);
  EXPECT_EQ(prefill.at.s, 100);
  EXPECT_EQ(prefill.at.prefix, 28);
  EXPECT_EQ(std::get<ContextAttention>(prefill.op.value).n_kv, 4);
  const CaseQuestion decode = ask(AttentionGeneration{.batch = 3, .heads = 16, .kv_heads = 4, .step = 127});
  EXPECT_FALSE(decode.at.context);
  EXPECT_EQ(decode.at.batch, 3);
  EXPECT_EQ(decode.at.s, 128);
}

TEST_F(CaseQuestionTest, DirectionsAndPhasesAreKept) {
  EXPECT_TRUE(std::get<MlaBmm>(ask(perfatlas::MlaBmm{.direction = MlaBmmDirection::pre}).op.value).is_pre);
  EXPECT_FALSE(std::get<MlaBmm>(ask(perfatlas::MlaBmm{.direction = MlaBmmDirection::post}).op.value).is_pre);
  const CaseQuestion single = ask(perfatlas::Gdn{.phase = LinearPhase::generation, .batch = 5});
  EXPECT_FALSE(single.at.context);
  EXPECT_EQ(single.at.batch, 5);
  EXPECT_EQ(std::get<Gdn>(single.op.value).phase, SsmPhase::generation);
}

TEST_F(CaseQuestionTest, SizesThatTablesDoNotTellFollowFromTheHeads) {
  Dsv4CsaContext flash;
  flash.heads = 16;
  flash.tp = 4;
  const Dsv4Attention v4 = std::get<Dsv4Attention>(ask(flash).op.value);
  EXPECT_EQ(v4.native_heads, 64);
  EXPECT_EQ(v4.hidden_size, 4096);
  EXPECT_EQ(v4.o_groups, 2);
  MsaContextModule sparse;
  sparse.heads = 16;
  EXPECT_EQ(std::get<MsaModule>(ask(sparse).op.value).num_kv_heads, 2);
  WideEpContextMla wide;
  wide.heads = 32;
  EXPECT_EQ(std::get<WideEpMla>(ask(wide).op.value).num_heads(), 32);
}

TEST_F(CaseQuestionTest, QuantisingToOtherTypesThanTheTablesIsRefused) {
  EXPECT_EQ(std::get<Quantize>(ask(ComputeScale{.m = 7, .k = 64}).op.value).k, 64);
  EXPECT_THROW(ask(ScaleMatrix{.m = 7, .k = 64, .dtype = Quant::int8}), UsageError);
}

TEST_F(CaseQuestionTest, EveryOpIsAskedOrNamedAsPartOfAnother) {
  std::vector<std::string> parts;
  for (const auto& op : ops_.ops())
    if (!question_of({op.get(), op->defaults()})) parts.emplace_back(op->info.id);
  EXPECT_THAT(parts, testing::Contains("rope"));
  for (const char* layer :
       {"gemm", "moe", "mla_context_module", "dsa_context_module", "dsa_context_module_skip_indexer", "kda",
        "mhc_module", "msa_context_module", "dsv4_hca_generation_module", "wide_ep_moe", "dsv4_mega_moe",
        "wide_ep_generation_mla", "compute_scale", "scale_matrix"})
    EXPECT_THAT(parts, testing::Not(testing::Contains(layer)));
}

}  // namespace
}  // namespace perfatlas::aic
