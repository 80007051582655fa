// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <rapidcheck.h>

#include "perfatlas/backends/cpu/kernel_checks_test.h"
#include "perfatlas/backends/harness_check_run.h"
#include "perfatlas/backends/operand_convert.h"
#include "perfatlas/backends/operand_fill.h"
#include "perfatlas/ops/quantize/quantize.h"

namespace perfatlas {

void add_quantize_cpu_kernels(KernelRegistry& registry);

namespace {

class QuantizeCpu : public KernelChecks {
 protected:
  QuantizeCpu() : KernelChecks(&add_quantize_cpu_kernels) {}

  template <class Op>
  void agrees_on_random_shapes() {
    EXPECT_TRUE(rc::check([&] {
      const Op op{.m = *rc::gen::inRange(1, 60),
                  .k = *rc::gen::inRange(1, 700),
                  .dtype = *rc::gen::element(Quant::fp8, Quant::int8, Quant::fp8_rowwise, Quant::fp8_block)};
      const std::string failures = failures_of(op);
      RC_ASSERT(failures == "");
    }));
    EXPECT_GE(checked_, 100);  // the portable loop takes every one
  }
};

TEST_F(QuantizeCpu, EveryReductionAgreesWithTheReferenceOnRandomShapes) {
  agrees_on_random_shapes<ComputeScale>();
}

TEST_F(QuantizeCpu, EveryQuantiserAgreesWithTheReferenceOnRandomShapes) {
  agrees_on_random_shapes<ScaleMatrix>();
}

TEST_F(QuantizeCpu, ZerosHaveASmallScaleAndLargeQuotientsSaturate) {
  const OpType compute = make_op_type<ComputeScale>(), scale = make_op_type<ScaleMatrix>();
  for (const Quant quant : {Quant::fp8, Quant::int8, Quant::fp8_rowwise, Quant::fp8_block}) {
    const ComputeScale reduction{.m = 2, .k = 130, .dtype = quant};
    std::vector<HostOperand> content;
    for (const Operand& operand : reduction.operands()) content.push_back(make_host_operand(operand, 1));
    std::fill(content[0].values.begin(), content[0].values.end(), 0.F);
    const Case reduce = make_case(compute, reduction);
    for (const KernelEntry* kernel : kernels_.of("compute_scale", "onednn")) {
      if (!kernel->why_unsupported(reduce.values, device_).empty()) continue;
      const CheckRunResult result = CheckRun(reduce, *kernel, device_).run(content, std::byte{0xa5});
      EXPECT_THAT(decode_elements(DType::f32, result.after[1]), testing::Each(float(kSmallestScale)));
    }
    const ScaleMatrix quantiser{.m = 2, .k = 130, .dtype = quant};
    content.clear();
    for (const Operand& operand : quantiser.operands()) content.push_back(make_host_operand(operand, 1));
    std::fill(content[0].values.begin(), content[0].values.end(), 1e30F);
    const Case divide = make_case(scale, quantiser);
    for (const KernelEntry* kernel : kernels_.of("scale_matrix", "onednn")) {
      if (!kernel->why_unsupported(divide.values, device_).empty()) continue;
      const CheckRunResult result = CheckRun(divide, *kernel, device_).run(content, std::byte{0xa5});
      EXPECT_THAT(decode_elements(quantiser.shape().stored(), result.after[2]),
                  testing::Each(float(quantiser.shape().largest())))
          << kernel->name;
    }
  }
}

}  // namespace
}  // namespace perfatlas
