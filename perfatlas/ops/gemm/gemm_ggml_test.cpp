// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "perfatlas/backends/ggml/ggml_check_test.h"
#include "perfatlas/ops/gemm/gemm.h"

namespace perfatlas {

void add_gemm_ggml_kernels(KernelRegistry& registry);

namespace {

constexpr Quant kTypes[] = {Quant::f32,  Quant::f16,  Quant::bf16, Quant::q8_0,
                            Quant::q4_0, Quant::q4_k, Quant::q6_k};

class GemmGgml : public testing::Test {
 protected:
  GemmGgml() { add_gemm_ggml_kernels(kernels_); }

  const KernelEntry& kernel(std::string_view name) const {
    for (const KernelEntry& entry : kernels_.entries())
      if (entry.name == name) return entry;
    throw Error("no such kernel");
  }

  int check_everywhere(const Gemm& gemm) { return check_ggml_kernels(gemm, kernels_); }

  GgmlDevice& device_ = ggml_test_device();
  KernelRegistry kernels_;
};

struct Shape {
  int64_t m, n, k;
};

/// One row (VNNI in the AMX buffers), odd rows, outputs that fill no tile, one block and several.
constexpr Shape kShapes[] = {{1, 64, 256},  {1, 512, 768},  {5, 33, 512},   {13, 96, 256},
                             {32, 32, 256}, {64, 160, 512}, {130, 96, 1024}};

TEST_F(GemmGgml, EveryKernelAgreesWithTheReferenceOnEveryShapeAndType) {
  int checked = 0;
  for (const Quant quant : kTypes)
    for (const Shape& shape : kShapes) checked += check_everywhere({quant, shape.m, shape.n, shape.k});
  EXPECT_GE(checked, int(std::size(kTypes) * std::size(kShapes)));  // the plain layout takes all
}

TEST_F(GemmGgml, RandomShapesAgreeWithTheReference) {
  ASSERT_TRUE(rc::check([this] {
    const Quant quant = *rc::gen::elementOf(std::vector<Quant>(std::begin(kTypes), std::end(kTypes)));
    const int64_t block = block_of(traits_of(quant).weight).elements;
    const int64_t k = block * *rc::gen::inRange<int64_t>(block == 1 ? 32 : 1, block == 1 ? 300 : 5);
    check_everywhere({quant, *rc::gen::inRange<int64_t>(1, 70), *rc::gen::inRange<int64_t>(8, 200), k});
    RC_ASSERT(!HasFailure());
  }));
}

TEST_F(GemmGgml, QuantisedWeightsTakeTheBuffersThatLlamaCppChooses) {
  const auto runs = [&](std::string_view name, const Gemm& gemm) {
    return kernel(name).why_unsupported(encode(gemm), device_).empty();
  };
  if (device_.buffer(WeightBuffer::amx) != nullptr) {
    for (const Quant quant : {Quant::q8_0, Quant::q4_0, Quant::q4_k, Quant::q6_k, Quant::f16})
      EXPECT_TRUE(runs("ggml_mul_mat_amx_buffer", {quant, 8, 64, 256})) << name_of(quant);
    EXPECT_FALSE(runs("ggml_mul_mat_amx_buffer", {Quant::q8_0, 8, 48, 256})) << "n fills no pair of tiles";
    EXPECT_FALSE(runs("ggml_mul_mat_amx_buffer", {Quant::bf16, 8, 64, 256}));
    EXPECT_TRUE(runs("ggml_mul_mat_amx_buffer", {Quant::q8_0, 32, 64, 32}));
    EXPECT_FALSE(runs("ggml_mul_mat_amx_buffer", {Quant::q8_0, 33, 64, 32})) << "one block of k";
    EXPECT_TRUE(runs("ggml_mul_mat_amx_buffer", {Quant::q8_0, 33, 64, 64}));
  }
  if (device_.buffer(WeightBuffer::repack) != nullptr && ggml_cpu_has_avx2()) {
    EXPECT_TRUE(runs("ggml_mul_mat_repack_buffer", {Quant::q4_0, 8, 64, 256}));
    EXPECT_FALSE(runs("ggml_mul_mat_repack_buffer", {Quant::f32, 8, 64, 256}));
  }
}

TEST_F(GemmGgml, ActivationsAndResultsAreTakenAsFloat32) {
  const auto prepared = kernel("ggml_mul_mat").prepare(encode(Gemm{Quant::bf16, 2, 32, 64}), device_);
  EXPECT_EQ(prepared->taken_dtype(0), DType::f32);
  EXPECT_EQ(prepared->taken_dtype(1), DType::bf16);
  EXPECT_EQ(prepared->taken_dtype(2), DType::f32);
}

TEST_F(GemmGgml, TypesWithoutAKernelSayWhy) {
  for (const KernelEntry& entry : kernels_.entries())
    EXPECT_EQ(entry.why_unsupported(encode(Gemm{Quant::fp8, 8, 64, 256}), device_),
              "ggml " + ggml_library_version() + " has no weights of type fp8");
}

}  // namespace
}  // namespace perfatlas
