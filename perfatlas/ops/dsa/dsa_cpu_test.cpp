// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "perfatlas/backends/harness_check.h"
#include "perfatlas/backends/harness_check_run.h"
#include "perfatlas/backends/operand_fill.h"
#include "perfatlas/ops/dsa/dsa_cpu_module.h"
#include "perfatlas/ops/dsa/dsa_numbers.h"

namespace perfatlas {

void add_dsa_cpu_kernels(KernelRegistry& registry);

namespace {

/// Relative L2 bounds are those of reference_tolerance(): 1e-4 in float32, 1e-2 in bfloat16. Indices are exact.
struct DsaCpu : testing::Test {
  DsaCpu() { add_dsa_cpu_kernels(kernels); }

  /// What is wrong with the kernels that take the case; counts what was checked.
  template <class Op>
  std::string problems(const Op& op) {
    static const OpType type = make_op_type<Op>();
    const Case what = make_case(type, op);
    std::string found(op.why_invalid());
    for (const KernelEntry* kernel : kernels.of(Op::info.id, "onednn"))
      if (kernel->why_unsupported(what.values, device).empty()) found += problems_of(what, *kernel);
    return found;
  }
  std::string problems_of(const Case& what, const KernelEntry& kernel) {
    std::string found;
    ++checked;
    for (const HarnessCheck& check : check_kernel(what, kernel, 1, device))
      if (check.verdict == Verdict::failed)
        found +=
            std::string(kernel.name) + " " + case_text(what) + ": " + check.name + ": " + check.detail + "\n";
    return found;
  }
  CpuDevice device{""};
  KernelRegistry kernels;
  int checked = 0;
};

/// topk is 64: contexts below, around and above it, one token and several, pages whole and broken.
DsaKernelCase any_tiny_case(int64_t most_heads) {
  DsaKernelCase c;
  c.architecture = Symbol("TinyDsa");
  c.heads = *rc::gen::inRange<int64_t>(1, most_heads + 1);
  c.batch = *rc::gen::inRange<int64_t>(1, 4);
  c.isl = *rc::gen::weightedOneOf<int64_t>(
      {{1, rc::gen::just<int64_t>(1)}, {2, rc::gen::inRange<int64_t>(2, 30)}});
  c.step = *rc::gen::element<int64_t>(0, 1, 40, 63, 64, 65, 130, 600);
  return c;
}

RC_GTEST_FIXTURE_PROP(DsaCpu, LogitsAgreeWithTheReference, ()) {
  DsaKernelCase c = any_tiny_case(1);
  c.dtype = c.kv_dtype = *rc::gen::element(DType::f32, DType::bf16);
  RC_ASSERT(problems(DsaMqaLogits{c}) == "");
}

RC_GTEST_FIXTURE_PROP(DsaCpu, SelectionIsThatOfTheReference, ()) {
  const auto mode = *rc::gen::element(ScoreMode::normal, ScoreMode::flat, ScoreMode::top_last);
  RC_ASSERT(problems(DsaTopk{any_tiny_case(1), mode}) == "");
}

RC_GTEST_FIXTURE_PROP(DsaCpu, AttentionAgreesWithTheReference, ()) {
  DsaKernelCase c = any_tiny_case(3);
  c.batch = 1 + c.batch % 2, c.isl = 1 + c.isl % 3;  // the naive reference walks over 576 elements
  c.dtype = c.kv_dtype = *rc::gen::element(DType::f32, DType::bf16);
  RC_ASSERT(problems(DsaAttention{c}) == "");
}

/// Above 2048 tokens, with all index heads.
TEST_F(DsaCpu, KernelsAgreeWithTheReferenceOnTheSizesOfModels) {
  for (const char* architecture : {"DeepseekV32ForCausalLM", "GlmMoeDsaForCausalLM"}) {
    DsaKernelCase c{.heads = 5, .isl = 1, .step = 2100};
    c.architecture = Symbol(architecture);
    EXPECT_EQ(problems(DsaMqaLogits{c}), "");
    EXPECT_EQ(problems(DsaTopk{c}), "");
    EXPECT_EQ(problems(DsaAttention{c}), "");
  }
  EXPECT_GE(checked, 6);  // the portable kernels on any CPU
}

TEST_F(DsaCpu, EqualScoresAreTakenFromTheFrontAndBothZerosAreEqual) {
  DsaKernelCase c{.step = 199};
  c.architecture = Symbol("TinyDsa");
  const OpType type = make_op_type<DsaTopk>();
  const Case what = make_case(type, DsaTopk{c});
  std::vector<HostOperand> content;
  for (const Operand& operand : type.operands(what.values)) content.push_back(make_host_operand(operand, 1));
  std::vector<float>& scores = content[0].values;
  for (size_t i = 0; i < scores.size(); ++i) scores[i] = i % 3 == 0 ? -0.0F : i % 3 == 1 ? 0.0F : -1.0F;
  scores[150] = 7, scores[199] = 1e-40F;  // the last one is above zero, if only just
  std::vector<int32_t> expected;
  for (int32_t i = 0; int64_t(expected.size()) < 62; ++i)
    if (i % 3 != 2) expected.push_back(i);
  expected.insert(expected.end(), {150, 199});
  for (const KernelEntry* kernel : kernels.of(type.info.id, "onednn")) {
    if (!kernel->why_unsupported(what.values, device).empty()) continue;
    const CheckRunResult result = CheckRun(what, *kernel, device).run(content, std::byte{0xa5});
    std::vector<int32_t> selected(64);
    std::memcpy(selected.data(), result.after[1].data(), 64 * sizeof(int32_t));
    EXPECT_EQ(selected, expected) << kernel->name;
  }
}

/// A block costs a thousand times what a kernel of it does, so that these shapes are fewer than rapidcheck would draw.
MlaModuleCase drawn_block(DsaNumbers& numbers, bool context) {
  const auto below = [&](uint64_t limit) { return int64_t(numbers.next() % limit); };
  constexpr int64_t kSteps[] = {0, 1, 40, 63, 64, 65, 130};
  MlaModuleCase c{.architecture = Symbol("TinyDsa"), .heads = 1 + below(3), .batch = 1 + below(2)};
  if (context) c.isl = 1 + below(6);
  c.step = kSteps[below(std::size(kSteps))];
  c.dtype = c.kv_dtype = below(2) == 0 ? DType::f32 : DType::bf16;
  c.gemm = c.dtype == DType::f32 ? Quant::f32 : Quant::bf16;
  return c;
}

TEST_F(DsaCpu, BlocksAgreeWithTheReference) {
  DsaNumbers numbers(4);
  for (int round = 0; round < 5; ++round) {
    EXPECT_EQ(problems(DsaContextModule(drawn_block(numbers, true))), "");
    EXPECT_EQ(problems(DsaGenerationModule(drawn_block(numbers, false))), "");
    EXPECT_EQ(problems(DsaContextModuleSkipIndexer(drawn_block(numbers, true))), "");
    EXPECT_EQ(problems(DsaGenerationModuleSkipIndexer(drawn_block(numbers, false))), "");
  }
  EXPECT_GE(checked, 5);  // those in float32 on any CPU
}

TEST_F(DsaCpu, ALongPromptIsScoredInPieces) {
  const OpType type = make_op_type<DsaContextModule>();
  MlaModuleCase c{.architecture = Symbol("TinyDsa"), .heads = 2, .batch = 2, .isl = 30, .step = 70};
  c.dtype = c.kv_dtype = DType::f32, c.gemm = Quant::f32;
  const DsaContextModule op(c);
  for (const int64_t piece_scores : {int64_t{1}, int64_t{700}}) {  // one token and seven at a time
    const KernelEntry kernel{
        type.info.id, "in_pieces", "onednn", [](const FieldValues&, const Device&) { return std::string(); },
        [&](const FieldValues& values, Device&) {
          return make_dsa_block(decode<DsaContextModule>(values), DsaIndexer::own, device, piece_scores);
        }};
    EXPECT_EQ(problems_of(make_case(type, op), kernel), "");
  }
  DsaContextModule prompt;
  prompt.isl = 16384;  // 1 GB of scores
  if (const std::string why = why_no_dsa_block(prompt, DsaIndexer::own, device); !why.empty())
    GTEST_SKIP() << why;
  const double rows =
      16384.0 * 2 * (2 * (1536 + 512 + 64 + 128) + 1536 + 512 + 64 * 128 + 3 * 64 + 2 * 576 + 1024);
  const auto workspace = double(make_dsa_block(prompt, DsaIndexer::own, device)->workspace_bytes());
  EXPECT_LT(workspace, 64 * 1048576 + rows + 64e6);
}

/// Attends as it should, but hands on the first positions instead of those it chose.
class WrongChoice final : public PreparedKernel {
 public:
  explicit WrongChoice(std::unique_ptr<PreparedKernel> block) : block_(std::move(block)) {}
  size_t workspace_bytes() const override { return block_->workspace_bytes(); }
  size_t packed_bytes(size_t index) const override { return block_->packed_bytes(index); }
  void pack(size_t index, const void* declared, void* packed) override {
    block_->pack(index, declared, packed);
  }
  void launch(Stream stream, std::span<void* const> operands, void* workspace) override {
    block_->launch(stream, operands, workspace);
    for (int32_t i = 0; i < 64; ++i) static_cast<int32_t*>(operands[dsa_module_selected_at])[i] = i;
  }

 private:
  std::unique_ptr<PreparedKernel> block_;
};

TEST_F(DsaCpu, AWrongChoiceIsCaught) {
  MlaModuleCase c{.architecture = Symbol("TinyDsa"), .step = 200};
  c.dtype = c.kv_dtype = DType::f32, c.gemm = Quant::f32;
  const OpType type = make_op_type<DsaGenerationModule>();
  const KernelEntry kernel{type.info.id, "wrong_choice", "onednn",
                           [](const FieldValues&, const Device&) { return std::string(); },
                           [&](const FieldValues& values, Device&) {
                             return std::make_unique<WrongChoice>(make_dsa_block(
                                 decode<DsaGenerationModule>(values), DsaIndexer::own, device));
                           }};
  EXPECT_THAT(problems_of(make_case(type, DsaGenerationModule(c)), kernel),
              testing::HasSubstr("against the reference: selected"));
}

TEST_F(DsaCpu, TypesWithoutAKernelSayWhy) {
  DsaAttention narrow;
  narrow.kv_dtype = DType::fp8_e4m3;
  for (const KernelEntry* kernel : kernels.of(DsaAttention::info.id, "onednn"))
    EXPECT_EQ(kernel->why_unsupported(encode(narrow), device),
              "no CPU kernel reads a fp8 cache for bfloat16 attention");
  DsaMqaLogits half;
  half.dtype = half.kv_dtype = DType::f16;
  for (const KernelEntry* kernel : kernels.of(DsaMqaLogits::info.id, "onednn"))
    EXPECT_EQ(kernel->why_unsupported(encode(half), device),
              "no CPU kernel computes sparse attention in float16: only in float32 and bfloat16");
  DsaContextModule quantised;
  quantised.gemm = Quant::fp8_block;
  EXPECT_THAT(
      kernels.of(DsaContextModule::info.id, "onednn").front()->why_unsupported(encode(quantised), device),
      testing::HasSubstr("not bfloat16 attention between fp8_block layers"));
}

}  // namespace
}  // namespace perfatlas
