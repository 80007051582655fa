// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "perfatlas/backends/cpu/kernel_checks_test.h"
#include "perfatlas/backends/harness_check_run.h"
#include "perfatlas/backends/operand_convert.h"
#include "perfatlas/backends/operand_fill.h"
#include "perfatlas/ops/moe/moe.h"
#include "perfatlas/ops/moe/moe_cpu_matmul.h"
#include "perfatlas/ops/moe/moe_cpu_rows.h"

namespace perfatlas {

void add_moe_cpu_kernels(KernelRegistry& registry);

namespace {

constexpr Quant kTypes[] = {Quant::f32, Quant::bf16, Quant::int8};

class MoeCpu : public KernelChecks {
 protected:
  MoeCpu() : KernelChecks(&add_moe_cpu_kernels) {}

  /// Checks all types; the tolerance is that of check_kernel (rounding of the token type, a few in a row).
  void check_all_types(Moe op) {
    for (const Quant type : kTypes) {
      op.dtype = type;
      EXPECT_EQ(failures_of(op), "");
    }
  }
};

TEST_F(MoeCpu, EveryKernelAgreesWithTheReferenceOnAwkwardShapes) {
  // The smallest; one token; odd everything.
  check_all_types({});
  check_all_types({.tokens = 1, .hidden = 256, .inter = 64, .topk = 8, .experts = 16});
  check_all_types({.tokens = 7, .hidden = 65, .inter = 33, .topk = 3, .experts = 5});
  EXPECT_GE(checked_, 3);  // float32 at least, on any CPU
}

TEST_F(MoeCpu, EveryKernelAgreesWithTheReferenceOnSeveralBlocksOfColumns) {
  check_all_types({.tokens = 9, .hidden = 320, .inter = 330, .topk = 2, .experts = 3});
  EXPECT_GE(checked_, 1);
}

TEST_F(MoeCpu, EveryKernelAgreesWithTheReferenceOnMoreRowsThanOneProductTakes) {
  check_all_types({.tokens = 150, .hidden = 64, .inter = 64, .topk = 1, .experts = 1});
  check_all_types({.tokens = 140, .hidden = 64, .inter = 32, .topk = 2, .experts = 2, .gated = false});
  EXPECT_GE(checked_, 2);
}

TEST_F(MoeCpu, EveryKernelAgreesWithTheReferenceOnRandomShapes) {
  EXPECT_TRUE(rc::check([&] {
    Moe op{.dtype = *rc::gen::elementOf(std::vector<Quant>(std::begin(kTypes), std::end(kTypes)))};
    op.ep = *rc::gen::element<int64_t>(1, 1, 2, 4);
    op.tp = *rc::gen::element<int64_t>(1, 1, 2);
    op.experts = op.ep * *rc::gen::inRange<int64_t>(1, 12);
    op.topk = *rc::gen::inRange<int64_t>(1, std::min<int64_t>(op.experts, 6) + 1);
    op.tokens = *rc::gen::weightedOneOf<int64_t>(
        {{1, rc::gen::just<int64_t>(1)}, {3, rc::gen::inRange<int64_t>(2, 24)}});
    op.hidden = *rc::gen::inRange<int64_t>(16, 150);         // of fewer outputs, all may be sums that cancel
    op.inter = op.tp * *rc::gen::inRange<int64_t>(24, 100);  // fewer squared ReLUs might all be zero
    op.gated = *rc::gen::arbitrary<bool>();
    op.distribution =
        Symbol(*rc::gen::element<std::string>("balanced", "power_law_1.2", "power_law_1.01_eplb"));
    // A balanced step may have nothing for rank 0, whose result is then all zero, as the check does not expect.
    if (expected_load(op.routing_shape(), *parse_distribution(op.distribution.text())).experts == 0) return;
    const std::string failures = failures_of(op);
    RC_LOG() << failures;
    RC_ASSERT(failures.empty());
  }));
  EXPECT_GE(checked_, 30);
}

/// Content of the operands with logits that are not those of a balanced step.
std::vector<HostOperand> content_with_logits(const Moe& op,
                                             const std::function<float(int64_t, int64_t)>& logit) {
  std::vector<HostOperand> content;
  for (const Operand& operand : op.operands()) content.push_back(make_host_operand(operand, 5));
  for (int64_t t = 0; t < op.tokens; ++t)
    for (int64_t e = 0; e < op.experts; ++e)
      content[moe_logits_at].values[size_t(t * op.experts + e)] = logit(t, e);
  return content;
}

class MoeCpuRouting : public MoeCpu {
 protected:
  /// Largest relative L2 error of any kernel.
  double worst_error(const Moe& op, const std::vector<HostOperand>& content) {
    const OpType type = make_op_type<Moe>();
    const Case what = make_case(type, op);
    std::vector<HostOperand> expected = content;
    op.reference(expected);
    double worst = 0;
    for (const KernelEntry& kernel : kernels_.entries()) {
      if (!kernel.why_unsupported(what.values, device_).empty()) continue;
      const CheckRunResult result = CheckRun(what, kernel, device_).run(content, std::byte{0xa5});
      const std::vector<float> out = decode_elements(op.token_type(), result.after[moe_out_at]);
      double difference = 0, norm = 0;
      for (size_t i = 0; i < out.size(); ++i) {
        difference += std::pow(double(out[i]) - expected[moe_out_at].values[i], 2);
        norm += std::pow(double(expected[moe_out_at].values[i]), 2);
      }
      worst = std::max(worst, std::sqrt(difference / norm));
    }
    return worst;
  }
};

TEST_F(MoeCpuRouting, WeightsAreTheSoftmaxOfTheChosenLogits) {
  const Moe op{
      .dtype = Quant::f32, .tokens = 60, .hidden = 80, .inter = 48, .topk = 4, .experts = 12, .ep = 2};
  SeededNumbers numbers(3);
  const auto content = content_with_logits(op, [&](int64_t, int64_t) { return 2 * numbers.normal(); });
  EXPECT_LT(worst_error(op, content), 1e-4);
}

TEST_F(MoeCpuRouting, AllTokensOnOneExpertFit) {
  const Moe op{
      .dtype = Quant::f32, .tokens = 400, .hidden = 32, .inter = 48, .topk = 2, .experts = 16, .ep = 4};
  const auto content =
      content_with_logits(op, [](int64_t, int64_t e) { return e == 3 || e == 1 ? 1.F : 0.F; });
  EXPECT_LT(worst_error(op, content), 1e-4);
}

TEST_F(MoeCpuRouting, EqualLogitsGoToLowerExperts) {
  const Moe op{.dtype = Quant::f32, .tokens = 5, .hidden = 32, .inter = 48, .topk = 2, .experts = 4, .ep = 2};
  const auto content = content_with_logits(op, [](int64_t, int64_t) { return 0.5F; });
  EXPECT_LT(worst_error(op, content), 1e-4);
}

TEST_F(MoeCpuRouting, StepsLargerThanTheWorkspaceAreDoneInParts) {
  const Moe op{.dtype = Quant::f32, .tokens = 3000, .hidden = 8, .inter = 8, .topk = 8, .experts = 16};
  const OpType type = make_op_type<Moe>();
  for (const HarnessCheck& check : check_kernel(make_case(type, op), kernels_.entries().back(), 1, device_))
    EXPECT_NE(check.verdict, Verdict::failed) << check.name << ": " << check.detail;
  Moe twice = op;
  twice.tokens *= 2;
  const auto bytes = [&](const Moe& what) {
    return kernels_.entries().back().prepare(encode(what), device_)->workspace_bytes();
  };
  EXPECT_EQ(bytes(op), bytes(twice));
}

RC_GTEST_PROP(ExpertRows, EveryLocalChoiceHasARowOfItsOwn, ()) {
  Moe op{.tokens = *rc::gen::inRange<int64_t>(1, 300), .ep = *rc::gen::element<int64_t>(1, 2, 4)};
  op.experts = op.ep * *rc::gen::inRange<int64_t>(1, 12);
  op.topk = *rc::gen::inRange<int64_t>(1, std::min<int64_t>(op.experts, 6) + 1);
  op.dtype = *rc::gen::element(Quant::f32, Quant::int8);
  const DType type = traits_of(op.dtype).activation;
  ExpertRows rows(op, op.tokens, 1);
  SeededNumbers numbers(*rc::gen::arbitrary<uint64_t>());
  const double skew = *rc::gen::element(0.0, 5.0);  // towards the first experts
  std::vector<float> logits(static_cast<size_t>(op.experts));
  for (int64_t token = 0; token < op.tokens; ++token) {
    for (size_t e = 0; e < logits.size(); ++e) logits[e] = numbers.normal() - float(skew * double(e));
    rows.choose(token, logits.data());
  }
  rows.group(op.tokens);
  RC_ASSERT(rows.rows() <= rows.most_rows());
  std::vector<int> expert_of(size_t(rows.rows()), -1);
  int64_t grouped = 0;
  for (const ExpertRows::Group& group : rows.groups()) {
    RC_ASSERT(group.rows > 0 && group.rows <= ExpertMatmul::kMostRows);
    RC_ASSERT(group.first + ExpertMatmul::padded_rows(group.rows, type) <= rows.rows());
    for (int32_t i = 0; i < group.rows; ++i, ++grouped) expert_of[size_t(group.first + i)] = group.expert;
  }
  int64_t placed = 0;
  for (int64_t token = 0; token < op.tokens; ++token)
    for (const ExpertRows::Choice& choice : rows.choices_of(token)) {
      if (choice.row < 0) continue;
      ++placed;
      RC_ASSERT(rows.token_of(choice.row) == token);
      RC_ASSERT(expert_of[size_t(choice.row)] >= 0);
    }
  RC_ASSERT(placed == grouped);
}

TEST_F(MoeCpu, TypesWithoutAKernelSayWhy) {
  for (const std::string& reason : reasons(Moe{.dtype = Quant::fp8_block}))
    EXPECT_EQ(reason, "no CPU kernel has fp8_block experts: only float32, bfloat16 and int8");
  for (const std::string& reason : reasons(Moe{.dtype = Quant::f16})) EXPECT_NE(reason, "");
}

TEST_F(MoeCpu, AmxTypesRunPackedWhereTheCpuHasAmx) {
  if (!device_.isa().amx_bf16 || !device_.isa().amx_int8) GTEST_SKIP() << "this CPU has no AMX";
  for (const Quant type : kTypes)
    EXPECT_EQ(reasons(Moe{.dtype = type, .tokens = 8, .hidden = 96, .inter = 70, .topk = 2, .experts = 4})[0],
              "");
}

}  // namespace
}  // namespace perfatlas
