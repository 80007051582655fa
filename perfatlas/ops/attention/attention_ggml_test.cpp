// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <numeric>

#include "perfatlas/backends/ggml/ggml_check_test.h"
#include "perfatlas/backends/harness_check_run.h"
#include "perfatlas/backends/operand_fill.h"
#include "perfatlas/ops/attention/attention.h"
#include "perfatlas/ops/attention/attention_ggml_cache.h"

namespace perfatlas {

void add_attention_ggml_kernels(KernelRegistry& registry);

namespace {

/// Activations' type, then the cache's.
constexpr std::pair<DType, DType> kTypes[] = {{DType::f16, DType::f16},
                                              {DType::f16, DType::q8_0},
                                              {DType::bf16, DType::bf16},
                                              {DType::f32, DType::f16}};

class AttentionGgml : public testing::Test {
 protected:
  AttentionGgml() { add_attention_ggml_kernels(kernels_); }

  template <class Op>
  void check(Op op, std::pair<DType, DType> types) {
    std::tie(op.dtype, op.kv_dtype) = types;
    EXPECT_EQ(check_ggml_kernels(op, kernels_), 1);
  }

  GgmlDevice& device_ = ggml_test_device();
  KernelRegistry kernels_;
};

struct Heads {
  int64_t heads, kv_heads, head_dim;
};

/// Multi-head, grouped, multi-query.
constexpr Heads kHeads[] = {{2, 2, 64}, {8, 2, 128}, {3, 1, 96}, {6, 2, 256}};

TEST_F(AttentionGgml, ContextAgreesWithTheReference) {
  struct Tokens {
    int64_t batch, isl, step, window;
  };
  constexpr Tokens kTokens[] = {{1, 1, 0, 0},   {3, 70, 0, 0},   {2, 33, 100, 0},
                                {1, 64, 64, 0}, {1, 130, 0, 50}, {2, 40, 600, 128}};
  size_t turn = 0;  // types and tokens in every pair, heads by turns
  for (const auto& types : kTypes)
    for (const Tokens& t : kTokens) {
      const Heads& h = kHeads[turn++ % std::size(kHeads)];
      check<AttentionContext>({.batch = t.batch,
                               .isl = t.isl,
                               .heads = h.heads,
                               .kv_heads = h.kv_heads,
                               .head_dim = h.head_dim,
                               .window = t.window,
                               .step = t.step},
                              types);
    }
}

TEST_F(AttentionGgml, MicroBatchesOfALongPromptAgreeWithTheReference) {
  for (const int64_t window : {0, 200})
    check<AttentionContext>(
        {.batch = 2, .isl = 700, .heads = 2, .kv_heads = 1, .head_dim = 64, .window = window, .step = 60},
        {DType::f16, DType::f16});
}

TEST_F(AttentionGgml, GenerationAgreesWithTheReference) {
  struct Tokens {
    int64_t batch, step, window;
  };
  constexpr Tokens kTokens[] = {{1, 0, 0},   {3, 1, 0},   {1, 63, 0},    {1, 64, 0},
                                {1, 700, 0}, {3, 500, 0}, {2, 1000, 128}};
  size_t turn = 0;
  for (const auto& types : kTypes)
    for (const Tokens& t : kTokens) {
      const Heads& h = kHeads[turn++ % std::size(kHeads)];
      check<AttentionGeneration>({.batch = t.batch,
                                  .heads = h.heads,
                                  .kv_heads = h.kv_heads,
                                  .head_dim = h.head_dim,
                                  .window = t.window,
                                  .step = t.step},
                                 types);
    }
}

/// A kernel that read positions in the order of pages, whatever the table says, would agree for the identity only.
TEST_F(AttentionGgml, AnotherPageTableGivesAnotherResult) {
  const AttentionGeneration op{
      .heads = 2, .kv_heads = 2, .head_dim = 64, .dtype = DType::f16, .kv_dtype = DType::f16, .step = 300};
  std::vector<HostOperand> content;
  for (const Operand& operand : op.operands()) content.push_back(make_host_operand(operand, 7));
  const KernelEntry& kernel = *kernels_.of("attention_generation", "ggml").front();
  const OpType type = make_op_type<AttentionGeneration>();
  const Case what = make_case(type, op);
  CheckRun run(what, kernel, device_);
  const auto first = run.run(content, std::byte{0xa5}).after[out_at];
  std::swap(content[page_table_at].indices.front(), content[page_table_at].indices.back());
  EXPECT_NE(run.run(content, std::byte{0xa5}).after[out_at], first);
}

TEST(GgmlCache, PackingIsUndoneByUnpacking) {
  ASSERT_TRUE(rc::check([] {
    const AttentionShape shape{.batch = *rc::gen::inRange<int64_t>(1, 4),
                               .isl = *rc::gen::inRange<int64_t>(1, 200),
                               .step = *rc::gen::inRange<int64_t>(0, 300),
                               .heads = 4,
                               .kv_heads = *rc::gen::inRange<int64_t>(1, 4),
                               .head_dim = 64,
                               .kv_dtype = *rc::gen::element(DType::f16, DType::q8_0)};
    const GgmlCacheLayout layout(shape);
    const Operands operands = attention_operands(shape);
    const auto pages = operand_bytes_of(make_host_operand(operands[k_cache_at], 1));
    const auto table = make_host_operand(operands[page_table_at], 1).indices;
    std::vector<std::byte> streams(layout.bytes()), back(pages.size());
    layout.pack(table, pages.data(), streams.data());
    layout.unpack(table, streams.data(), back.data());
    RC_ASSERT(back == pages);
  }));
}

TEST(GgmlCache, EveryTokenIsInOneMicroBatchThatSeesWhatItSees) {
  ASSERT_TRUE(rc::check([] {
    const AttentionShape shape{.batch = *rc::gen::inRange<int64_t>(1, 700),
                               .isl = *rc::gen::inRange<int64_t>(1, 1500),
                               .step = *rc::gen::inRange<int64_t>(0, 1000),
                               .window = *rc::gen::inRange<int64_t>(0, 600)};
    int64_t tokens = 0;
    for (const GgmlMicroBatch& batch : ggml_micro_batches(shape)) {
      RC_ASSERT(batch.sequences * batch.tokens <= std::max(kGgmlMicroBatch, batch.tokens));
      RC_ASSERT(batch.tokens <= kGgmlMicroBatch);
      RC_ASSERT(batch.sequences == 1 || batch.tokens == shape.isl);  // queries of one call lie in one piece
      RC_ASSERT(batch.first_position <= shape.first_visible(shape.step + batch.token));
      RC_ASSERT(batch.end_position >= shape.step + batch.token + batch.tokens);
      RC_ASSERT(batch.end_position <= GgmlCacheLayout(shape).stream_tokens());
      tokens += batch.sequences * batch.tokens;
    }
    RC_ASSERT(tokens == shape.batch * shape.isl);
  }));
}

TEST_F(AttentionGgml, TypesAndSizesWithoutAKernelSayWhy) {
  const KernelEntry& kernel = *kernels_.of("attention_context", "ggml").front();
  const auto why = [&](AttentionContext op) { return kernel.why_unsupported(encode(op), device_); };
  EXPECT_NE(why({.kv_dtype = DType::fp8_e4m3}).find("no cache of type fp8"), std::string::npos);
  EXPECT_NE(why({.dtype = DType::fp8_e4m3}).find("does not compute attention in fp8"), std::string::npos);
  EXPECT_NE(why({.isl = 100000}).find("masks"), std::string::npos);
  EXPECT_EQ(why({.isl = 8192, .heads = 8, .kv_heads = 2}), "");
}

}  // namespace
}  // namespace perfatlas
