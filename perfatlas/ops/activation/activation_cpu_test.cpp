// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <cmath>

#include "perfatlas/backends/cpu/kernel_checks_test.h"
#include "perfatlas/backends/harness_check_run.h"
#include "perfatlas/backends/operand_convert.h"
#include "perfatlas/backends/operand_fill.h"
#include "perfatlas/ops/activation/activation.h"

namespace perfatlas {

void add_activation_cpu_kernels(KernelRegistry& registry);

namespace {

using enum ActivationKind;

class ActivationCpu : public KernelChecks {
 protected:
  ActivationCpu() : KernelChecks(&add_activation_cpu_kernels) {}
};

TEST_F(ActivationCpu, EveryKernelAgreesWithTheReferenceOnRandomShapes) {
  EXPECT_TRUE(rc::check([&] {
    Activation op{.kind = *rc::gen::element(silu_mul, gelu_mul, gelu, relu2),
                  .dtype = *rc::gen::element(DType::f32, DType::bf16),
                  .tokens = *rc::gen::inRange(1, 40),
                  .inter = *rc::gen::inRange(1, 1000)};
    if (op.kind == relu2)
      op.inter += 15;  // of a few elements all may be 0, which the check takes for a fault
    const std::string failures = failures_of(op);
    RC_ASSERT(failures == "");
  }));
  EXPECT_GE(checked_, 100);  // the portable loop takes every one
}

TEST_F(ActivationCpu, ExtremeInputsGiveTheLimitsOfTheFunction) {
  for (const ActivationKind kind : {silu_mul, gelu_mul, gelu}) {
    const Activation op{.kind = kind, .dtype = DType::f32, .tokens = 1, .inter = 4};
    const OpType type = make_op_type<Activation>();
    std::vector<HostOperand> content;
    for (const Operand& operand : op.operands()) content.push_back(make_host_operand(operand, 1));
    content[0].values.assign(size_t(op.input_width()), 1);
    std::copy_n(std::begin({-1e4F, 1e4F, -200.F, 0.F}), 4, content[0].values.begin());
    const Case what = make_case(type, op);
    for (const KernelEntry* kernel : kernels_.of("activation", "onednn")) {
      if (!kernel->why_unsupported(what.values, device_).empty()) continue;
      const CheckRunResult result = CheckRun(what, *kernel, device_).run(content, std::byte{0xa5});
      EXPECT_THAT(decode_elements(DType::f32, result.after[1]),
                  testing::Pointwise(testing::FloatNear(1e-3F), {0.F, 1e4F, 0.F, 0.F}))
          << kernel->name << " " << name_of(kind);
    }
  }
}

TEST_F(ActivationCpu, KindsAndTypesWithoutAKernelSayWhy) {
  EXPECT_THAT(reasons(Activation{.kind = silu_mul}),
              testing::Contains(testing::HasSubstr("only its reference implementation")));
  for (const std::string& reason : reasons(Activation{.kind = relu2, .dtype = DType::f16}))
    EXPECT_NE(reason, "");
}

}  // namespace
}  // namespace perfatlas
