// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/harness_check.h"
#include "perfatlas/ops/gemm/gemm.h"

namespace perfatlas {

void add_gemm_cpu_kernels(KernelRegistry& registry);

namespace {

struct Cpu {
  CpuDevice device{""};
  OpType op = make_op_type<Gemm>();
  KernelRegistry kernels;
  Cpu() { add_gemm_cpu_kernels(kernels); }
};

constexpr Quant kPlain[] = {Quant::f32, Quant::f16, Quant::bf16, Quant::int8};

struct Shape {
  int64_t m, n, k;
};

/// Smallest, thin, edges of blocks and tiles straddled, one of everything odd.
constexpr Shape kShapes[] = {{1, 1, 1},   {1, 512, 768}, {3, 5, 7},     {13, 77, 129}, {16, 16, 64},
                             {17, 65, 1}, {64, 1, 96},   {33, 48, 255}, {128, 320, 2}};

TEST(GemmCpu, EveryKernelAgreesWithTheReferenceOnEveryShapeAndType) {
  Cpu cpu;
  int checked = 0;
  for (const KernelEntry& kernel : cpu.kernels.entries())
    for (const Quant quant : kPlain)
      for (const Shape& shape : kShapes) {
        const Case what = make_case(cpu.op, Gemm{quant, shape.m, shape.n, shape.k});
        if (!kernel.why_unsupported(what.values, cpu.device).empty()) continue;
        ++checked;
        for (const HarnessCheck& check : check_kernel(what, kernel, 1, cpu.device))
          EXPECT_NE(check.verdict, Verdict::failed)
              << kernel.name << " " << case_text(what) << ": " << check.name << ": " << check.detail;
      }
  EXPECT_GE(checked, 18);  // float32 at least, on any CPU
}

TEST(GemmCpu, AmxTypesRunWhereTheCpuHasAmx) {
  Cpu cpu;
  if (!cpu.device.isa().amx_bf16 || !cpu.device.isa().amx_int8) GTEST_SKIP() << "this CPU has no AMX";
  const KernelEntry& packed = cpu.kernels.entries()[0];
  for (const Quant quant : {Quant::bf16, Quant::int8})
    EXPECT_EQ(packed.why_unsupported(encode(Gemm{quant, 8, 64, 64}), cpu.device), "") << name_of(quant);
}

TEST(GemmCpu, TypesWithoutAKernelSayWhy) {
  Cpu cpu;
  for (const EnumName<Quant>& quant : kEnumNames<Quant>) {
    const bool plain = std::find(std::begin(kPlain), std::end(kPlain), quant.value) != std::end(kPlain);
    if (plain) continue;
    for (const KernelEntry& kernel : cpu.kernels.entries())
      EXPECT_NE(kernel.why_unsupported(encode(Gemm{quant.value, 8, 64, 64}), cpu.device), "") << quant.name;
  }
  const std::string fp8 =
      cpu.kernels.entries()[0].why_unsupported(encode(Gemm{Quant::fp8, 8, 64, 64}), cpu.device);
  EXPECT_NE(fp8.find("has no fp8 type"), fp8.npos) << fp8;
}

TEST(GemmCpu, PackedWeightsAreAPermutationWithPadding) {
  Cpu cpu;
  const Gemm gemm{Quant::f32, 64, 256, 128};
  const auto kernel = cpu.kernels.entries()[0].prepare(encode(gemm), cpu.device);
  const size_t packed_bytes = kernel->packed_bytes(1);
  if (packed_bytes == 0) GTEST_SKIP() << "oneDNN takes plain weights here";
  std::vector<float> declared(size_t(gemm.n * gemm.k));
  for (size_t i = 0; i < declared.size(); ++i) declared[i] = float(i + 1);
  std::vector<float> packed(packed_bytes / sizeof(float));
  kernel->pack(1, declared.data(), packed.data());
  std::erase(packed, 0.f);
  std::sort(packed.begin(), packed.end());
  EXPECT_EQ(packed, declared);
}

}  // namespace
}  // namespace perfatlas
