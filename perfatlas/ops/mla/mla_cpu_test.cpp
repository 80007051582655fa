// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/harness_check.h"
#include "perfatlas/ops/mla/mla.h"

namespace perfatlas {

void add_mla_cpu_kernels(KernelRegistry& registry);

namespace {

struct MlaCpu : testing::Test {
  MlaCpu() { add_mla_cpu_kernels(kernels); }

  /// The kernels that take the case.
  std::vector<const KernelEntry*> taking(const Case& what) {
    std::vector<const KernelEntry*> found = kernels.of(what.op->info.id, "onednn");
    std::erase_if(found, [&](auto* kernel) { return !kernel->why_unsupported(what.values, device).empty(); });
    return found;
  }

  /// What is wrong with a kernel.
  std::string problems(const Case& what, const KernelEntry& kernel) {
    std::string found(what.op->why_invalid(what.values));
    for (const HarnessCheck& check : check_kernel(what, kernel, 1, device))
      if (check.verdict == Verdict::failed)
        found += std::string(kernel.name) + " " + case_text(what) + ": " + check.name + ": " + check.detail;
    return found;
  }

  /// Draws the type and the kernel, too: checking every one for every case takes too long.
  template <class Op>
  std::string problems_of_some_kernel(const OpType& type, Op op) {
    op.dtype = op.kv_dtype = *rc::gen::element(DType::f32, DType::bf16);
    const Case what = make_case(type, op);
    return problems(what, **rc::gen::elementOf(taking(what)));
  }

  /// Checks every kernel that takes the case, in both types; returns how many did.
  template <class Op>
  int check_everywhere(const OpType& type, Op op) {
    int checked = 0;
    for (const DType dtype : {DType::f32, DType::bf16}) {
      op.dtype = op.kv_dtype = dtype;
      const Case what = make_case(type, op);
      for (const KernelEntry* kernel : taking(what)) {
        EXPECT_EQ(problems(what, *kernel), "");
        ++checked;
      }
    }
    return checked;
  }

  CpuDevice device{""};
  OpType context = make_op_type<MlaContext>(), generation = make_op_type<MlaGeneration>();
  KernelRegistry kernels;
};

/// One token, whole and broken pages, with and without prefix; one head and several.
TEST_F(MlaCpu, ContextAgreesWithTheReference) {
  int checked = 0;
  for (const MlaContext& op :
       {MlaContext{.heads = 1, .isl = 1}, MlaContext{.heads = 2, .batch = 2, .isl = 65},
        MlaContext{.heads = 3, .isl = 64, .step = 64},
        MlaContext{.heads = 2, .batch = 2, .isl = 7, .step = 100},
        MlaContext{.heads = 1, .isl = 300, .step = 1}})
    checked += check_everywhere(context, op);
  EXPECT_GE(checked, 10);  // the portable loop at least
}

/// One to more heads than one block of 64, odd ones; pages and blocks of pages whole and broken.
TEST_F(MlaCpu, GenerationAgreesWithTheReference) {
  int checked = 0;
  for (const MlaGeneration& op :
       {MlaGeneration{.heads = 1, .step = 0}, MlaGeneration{.heads = 16, .batch = 2, .step = 63},
        MlaGeneration{.heads = 3, .step = 64}, MlaGeneration{.heads = 128, .step = 100},
        MlaGeneration{.heads = 65, .step = 256}, MlaGeneration{.heads = 8, .step = 1000}})
    checked += check_everywhere(generation, op);
  EXPECT_GE(checked, 12);
}

RC_GTEST_FIXTURE_PROP(MlaCpu, RandomGenerationAgreesWithTheReference, ()) {
  MlaGeneration op{.heads = *rc::gen::inRange<int64_t>(1, 24), .batch = *rc::gen::inRange<int64_t>(1, 4)};
  op.step = *rc::gen::inRange<int64_t>(0, 100);
  RC_ASSERT(problems_of_some_kernel(generation, op) == "");
}

RC_GTEST_FIXTURE_PROP(MlaCpu, RandomContextAgreesWithTheReference, ()) {
  MlaContext op{.heads = *rc::gen::inRange<int64_t>(1, 4), .batch = *rc::gen::inRange<int64_t>(1, 3)};
  op.isl = *rc::gen::inRange<int64_t>(1, 70), op.step = *rc::gen::inRange<int64_t>(0, 70);
  RC_ASSERT(problems_of_some_kernel(context, op) == "");
}

TEST_F(MlaCpu, TypesWithoutAKernelSayWhy) {
  for (const KernelEntry& kernel : kernels.entries())
    EXPECT_EQ(kernel.why_unsupported(encode(MlaContext{.kv_dtype = DType::fp8_e4m3}), device),
              "no CPU kernel reads a fp8 cache for bfloat16 attention");
}

}  // namespace
}  // namespace perfatlas
