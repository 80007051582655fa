// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "perfatlas/backends/cpu/kernel_checks_test.h"
#include "perfatlas/backends/harness_check_run.h"
#include "perfatlas/backends/operand_convert.h"
#include "perfatlas/backends/operand_fill.h"
#include "perfatlas/ops/attention/attention.h"

namespace perfatlas {

void add_attention_cpu_kernels(KernelRegistry& registry);

namespace {

struct AttentionCpu : KernelChecks {
  AttentionCpu() : KernelChecks(&add_attention_cpu_kernels) {}
};

struct Heads {
  int64_t heads, kv_heads, head_dim;
};

/// Multi-head, multi-query, grouped; head sizes of whole and broken vectors and blocks.
constexpr Heads kHeads[] = {{2, 2, 64}, {3, 1, 80}, {6, 2, 256}};

TEST_F(AttentionCpu, ContextAgreesWithTheReference) {
  struct Tokens {
    int64_t batch, isl, step, window;
  };
  constexpr Tokens kTokens[] = {
      {1, 1, 0, 0}, {1, 300, 0, 0}, {1, 64, 64, 0}, {1, 130, 0, 50}, {1, 20, 300, 128}};
  for (const Heads& h : kHeads)
    for (const Tokens& t : kTokens)
      EXPECT_EQ(failures_in_both_types<AttentionContext>({.batch = t.batch,
                                                          .isl = t.isl,
                                                          .heads = h.heads,
                                                          .kv_heads = h.kv_heads,
                                                          .head_dim = h.head_dim,
                                                          .window = t.window,
                                                          .step = t.step}),
                "");
  EXPECT_GE(checked_, 30);  // the portable loop at least
}

TEST_F(AttentionCpu, GenerationAgreesWithTheReference) {
  struct Tokens {
    int64_t batch, step, window;
  };
  constexpr Tokens kTokens[] = {{1, 0, 0},   {3, 1, 0},     {1, 63, 0}, {1, 64, 0},
                                {2, 300, 0}, {1, 400, 128}, {1, 200, 1}};
  for (const Heads& h : kHeads)
    for (const Tokens& t : kTokens)
      EXPECT_EQ(failures_in_both_types<AttentionGeneration>({.batch = t.batch,
                                                             .heads = h.heads,
                                                             .kv_heads = h.kv_heads,
                                                             .head_dim = h.head_dim,
                                                             .window = t.window,
                                                             .step = t.step}),
                "");
  EXPECT_GE(checked_, 42);
}

/// More query heads per key/value head than one block of a kernel takes, whole and broken blocks.
TEST_F(AttentionCpu, GenerationOfLargeGroupsAgreesWithTheReference) {
  for (const Heads& h : {Heads{8, 1, 64}, Heads{16, 1, 128}, Heads{27, 1, 192}, Heads{66, 2, 32}})
    EXPECT_EQ(
        failures_in_both_types<AttentionGeneration>(
            {.batch = 2, .heads = h.heads, .kv_heads = h.kv_heads, .head_dim = h.head_dim, .step = 150}),
        "");
  EXPECT_GE(checked_, 8);
}

/// Multi-head, grouped and multi-query heads of every size in use.
template <class Op>
Op random_heads(Op op) {
  op.head_dim = *rc::gen::element<int64_t>(64, 72, 80, 96, 128, 192, 256);
  op.kv_heads = *rc::gen::inRange<int64_t>(1, 4);
  op.heads = op.kv_heads * *rc::gen::inRange<int64_t>(1, 6);
  return op;
}

/// No window, one smaller than the sequence, and one larger.
int64_t random_window(int64_t tokens) {
  return *rc::gen::oneOf(rc::gen::just<int64_t>(0), rc::gen::inRange<int64_t>(1, tokens + 1),
                         rc::gen::inRange<int64_t>(tokens + 1, 2 * tokens + 2));
}

RC_GTEST_FIXTURE_PROP(AttentionCpu, RandomContextAgreesWithTheReference, ()) {
  AttentionContext op = random_heads(AttentionContext{.batch = *rc::gen::inRange<int64_t>(1, 3)});
  op.isl = *rc::gen::inRange<int64_t>(1, 40), op.step = *rc::gen::inRange<int64_t>(0, 100);
  op.window = random_window(op.isl + op.step);
  RC_ASSERT(failures_of_some_kernel(op) == "");
}

RC_GTEST_FIXTURE_PROP(AttentionCpu, RandomGenerationAgreesWithTheReference, ()) {
  AttentionGeneration op = random_heads(AttentionGeneration{.batch = *rc::gen::inRange<int64_t>(1, 4)});
  op.step = *rc::gen::inRange<int64_t>(0, 200);
  op.window = random_window(op.step + 1);
  RC_ASSERT(failures_of_some_kernel(op) == "");
}

/// The vector kernels take what is no whole vector, too.
TEST_F(AttentionCpu, EveryHeadSizeUpTo256IsStreamed) {
  const KernelEntry* streaming = kernels_.of("attention_generation", "onednn")[1];
  ASSERT_EQ(streaming->name, "perfatlas_avx512_split_kv");
  AttentionGeneration op{.heads = 3, .kv_heads = 1, .dtype = DType::f32, .kv_dtype = DType::f32, .step = 70};
  if (!device_.isa().avx512) GTEST_SKIP() << "this CPU has no AVX-512";
  for (const int64_t head_dim : {1, 7, 33, 72, 200, 255}) {
    op.head_dim = head_dim;
    EXPECT_EQ(streaming->why_unsupported(encode(op), device_), "");
    EXPECT_EQ(failures_in_both_types(op), "");
  }
  op.head_dim = 257;
  EXPECT_EQ(streaming->why_unsupported(encode(op), device_), "head_dim 257 is above 256");
}

TEST_F(AttentionCpu, LargeLogitsStayFinite) {
  const AttentionContext op{.isl = 100,
                            .heads = 2,
                            .kv_heads = 1,
                            .head_dim = 64,
                            .dtype = DType::f32,
                            .kv_dtype = DType::f32,
                            .step = 70};
  const OpType type = make_op_type<AttentionContext>();
  const Case what = make_case(type, op);
  std::vector<HostOperand> content;
  for (const Operand& operand : op.operands()) content.push_back(make_host_operand(operand, 7));
  for (float& value : content[q_at].values) value *= 1e6F;
  for (const KernelEntry* kernel : taking(op)) {
    std::vector<HostOperand> expected = content;
    op.reference(expected);
    const CheckRunResult result = CheckRun(what, *kernel, device_).run(content, std::byte{0xa5});
    const std::vector<float> out = decode_elements(DType::f32, result.after[out_at]);
    size_t wrong = 0;  // ties aside, each row is one value row
    for (size_t i = 0; i < out.size(); ++i) {
      ASSERT_TRUE(std::isfinite(out[i])) << kernel->name;
      wrong += std::abs(out[i] - expected[out_at].values[i]) > 1e-3F;
    }
    EXPECT_LT(double(wrong), 0.01 * double(out.size())) << kernel->name;
  }
}

TEST_F(AttentionCpu, TypesWithoutAKernelSayWhy) {
  for (const KernelEntry& kernel : kernels_.entries()) {
    FieldValues values = encode(AttentionContext{.kv_dtype = DType::fp8_e4m3});
    EXPECT_EQ(kernel.why_unsupported(values, device_),
              "no CPU kernel reads a fp8 cache for bfloat16 attention");
    values = encode(AttentionContext{.dtype = DType::f16, .kv_dtype = DType::f16});
    EXPECT_EQ(kernel.why_unsupported(values, device_),
              "no CPU kernel computes attention in float16: only in float32 and bfloat16");
  }
}

TEST_F(AttentionCpu, MemoryBeyondTheOperandsStaysBounded) {
  AttentionContext op{.batch = 8, .isl = 16384, .heads = 32, .kv_heads = 8};
  const KernelEntry* kernel = kernels_.of("attention_context", "onednn").front();
  if (!kernel->why_unsupported(encode(op), device_).empty()) GTEST_SKIP() << "this CPU has no AVX-512";
  const double head_bytes = 2.0 * 16384 * 128 * 2;  // keys and values of one head of one sequence
  EXPECT_LE(double(kernel->prepare(encode(op), device_)->workspace_bytes()),
            device_.threads() * (head_bytes + 2e6));
}

}  // namespace
}  // namespace perfatlas
