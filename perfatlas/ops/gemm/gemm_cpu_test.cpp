// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/harness_check.h"
#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/ops/gemm/gemm_cpu_dequant_codes.h"

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
/// Narrow weights that are multiplied in bf16.
constexpr Quant kDequantised[] = {Quant::int8_wo, Quant::int4_wo, Quant::fp8, Quant::fp8_static};

bool is_one_of(std::span<const Quant> quants, Quant quant) {
  return std::find(quants.begin(), quants.end(), quant) != quants.end();
}

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

/// What is wrong with the kernels of narrow weights on one case; counts those that take it.
std::string dequant_failures(Cpu& cpu, const Gemm& gemm, int& checked) {
  const Case what = make_case(cpu.op, gemm);
  std::string failures;
  for (const KernelEntry& kernel : cpu.kernels.entries()) {
    if (!kernel.why_unsupported(what.values, cpu.device).empty()) continue;
    ++checked;
    for (const HarnessCheck& check : check_kernel(what, kernel, 1, cpu.device))
      if (check.verdict == Verdict::failed)
        failures += case_text(what) + ": " + check.name + ": " + check.detail;
  }
  return failures;
}

/// Panels of 64 rows and slabs of 32 are straddled, groups of 128 broken, both block sizes (64 tokens and more) used.
TEST(GemmCpu, NarrowWeightsAgreeWithTheReferenceOnRandomShapes) {
  Cpu cpu;
  if (!cpu.device.isa().avx512_bf16) GTEST_SKIP() << "this CPU has no AVX-512 with bf16";
  int checked = 0;
  EXPECT_TRUE(rc::check([&] {
    Gemm gemm{*rc::gen::elementOf(std::vector(std::begin(kDequantised), std::end(kDequantised))),
              *rc::gen::element<int64_t>(1, 2, 5, 17, 64, 70), *rc::gen::inRange(1, 200),
              2 * *rc::gen::inRange(1, 150)};
    // Weights times a group's scale are rounded to bf16: one result alone may nearly cancel and be off by more.
    if (gemm.dtype == Quant::int4_wo) gemm.n += 15;
    const std::string failures = dequant_failures(cpu, gemm, checked);
    RC_ASSERT(failures == "");
  }));
  EXPECT_GE(checked, 100);
  EXPECT_EQ(dequant_failures(cpu, {Quant::int4_wo, 3, 320, 640}, checked), "");
  EXPECT_EQ(dequant_failures(cpu, {Quant::fp8, 3, 65, 33}, checked), "");
}

TEST(GemmCpu, PackedCodesAreAPermutationWithPadding) {
  const PanelShape shape{70, 40};
  EXPECT_EQ(shape.elements(), 128 * 64);
  std::vector<uint8_t> w(70 * 40), packed(size_t(shape.elements()));
  for (size_t i = 0; i < w.size(); ++i) w[i] = uint8_t(i % 255 + 1);
  pack_codes(shape, DType::int8, w.data(), packed.data());
  EXPECT_EQ(std::count(packed.begin(), packed.end(), 0), shape.elements() - 70 * 40);
  std::erase(packed, 0);
  EXPECT_EQ(std::multiset(packed.begin(), packed.end()), std::multiset(w.begin(), w.end()));
  std::vector<uint8_t> nibbles(size_t(shape.elements()) / 2);
  std::vector<uint8_t> pairs(70 * 40 / 2, 0x21);
  pack_codes(shape, DType::int4, pairs.data(), nibbles.data());
  EXPECT_EQ(std::count(nibbles.begin(), nibbles.end(), 0x21), 70 * 40 / 2);
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
    for (const KernelEntry& kernel : cpu.kernels.entries()) {
      const bool narrow = kernel.name == "perfatlas_dequant_onednn_matmul";
      if (is_one_of(narrow ? std::span<const Quant>(kDequantised) : kPlain, quant.value)) continue;
      EXPECT_NE(kernel.why_unsupported(encode(Gemm{quant.value, 8, 64, 256}), cpu.device), "")
          << kernel.name << " " << quant.name;
    }
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
