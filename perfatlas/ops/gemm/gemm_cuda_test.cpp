// SPDX-License-Identifier: Apache-2.0
// The CUDA gemm kernels against the reference, over a cuBLASLt that multiplies host memory (fake_cublaslt.cpp):
// layouts, types and workspaces are tested here, the real library on a GPU (backends/cuda/hardware_test.cpp).
#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/backends/cuda/fake_runtime.h"
#include "perfatlas/backends/kernel.h"
#include "perfatlas/backends/operand_convert.h"
#include "perfatlas/backends/operand_fill.h"
#include "perfatlas/ops/gemm/gemm.h"

namespace perfatlas {
void add_gemm_cuda_kernels(KernelRegistry&);
namespace {

using testing::HasSubstr;

struct GemmOnFakes : testing::Test {
  std::shared_ptr<FakeRuntime> runtime = std::make_shared<FakeRuntime>();
  KernelRegistry registry;
  std::unique_ptr<CudaDevice> device;

  void start(const LibrarySearch& search = {{{PERFATLAS_FAKE_LIBRARIES, false}}}) {
    device = std::make_unique<CudaDevice>(runtime, "cuda:0", search);
    add_gemm_cuda_kernels(registry);
  }
  const KernelEntry* kernel_for(const Gemm& gemm) {
    for (const KernelEntry* entry : registry.of("gemm", "cuda"))
      if (entry->why_unsupported(encode(gemm), *device).empty()) return entry;
    return nullptr;
  }
  std::string reasons(const Gemm& gemm) {
    std::string text;
    for (const KernelEntry* entry : registry.of("gemm", "cuda"))
      text += entry->why_unsupported(encode(gemm), *device) + "\n";
    return text;
  }

  /// Relative L2 distance of the kernel's result from the reference.
  double error_of(const Gemm& gemm) { return error_of(gemm, kernel_for(gemm)); }
  double error_of(const Gemm& gemm, const KernelEntry* entry) {
    if (entry == nullptr) return INFINITY;
    std::vector<HostOperand> expected;
    std::vector<std::shared_ptr<void>> memory;
    std::vector<void*> operands;
    for (const Operand& operand : gemm.operands()) {
      expected.push_back(make_host_operand(operand, 7));
      const std::vector<std::byte> bytes = operand_bytes_of(expected.back());
      memory.push_back(device->allocate(bytes.size()));
      device->copy_in(memory.back().get(), bytes.data(), bytes.size());
      operands.push_back(memory.back().get());
    }
    const auto prepared = entry->prepare(encode(gemm), *device);
    const auto workspace = device->allocate(prepared->workspace_bytes());
    prepared->launch(device->stream(), operands, workspace.get());
    gemm.reference(expected);
    std::vector<std::byte> result(size_t(expected[2].declared.bytes()));
    device->copy_out(result.data(), operands[2], result.size());
    const std::vector<float> got = decode_elements(expected[2].declared.dtype, result);
    double distance = 0, norm = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      distance += std::pow(double(got[i]) - double(expected[2].values[i]), 2);
      norm += std::pow(double(expected[2].values[i]), 2);
    }
    return std::sqrt(distance / norm);
  }
};

TEST_F(GemmOnFakes, EqualsTheReferenceForEveryTypeAndShape) {
  start();
  for (const Quant quant :
       {Quant::f32, Quant::tf32, Quant::f16, Quant::bf16, Quant::fp8, Quant::fp8_static, Quant::int8})
    for (const Gemm& shape : {Gemm{quant, 1, 16, 32}, Gemm{quant, 3, 40, 16}, Gemm{quant, 17, 8, 48}})
      EXPECT_LT(error_of(shape), 4e-3)
          << name_of(quant) << ' ' << shape.m << ' ' << shape.n << ' ' << shape.k;
}

TEST_F(GemmOnFakes, BlockScaledTypesEqualTheReference) {
  const auto compare = [&](std::initializer_list<Quant> quants) {
    start();
    for (const Quant quant : quants)
      for (const Gemm& shape : {Gemm{quant, 4, 160, 288}, Gemm{quant, 132, 128, 128}})
        EXPECT_LT(error_of(shape), 4e-3) << name_of(quant) << ' ' << shape.m << ' ' << shape.n;
  };
  compare({Quant::fp8_block, Quant::fp8_rowwise});
  runtime->properties.sm_version = 100;
  compare({Quant::mxfp8, Quant::nvfp4});
}

TEST_F(GemmOnFakes, TuningKeepsTheFastestAlgorithmAndNamesIt) {
  start();
  const Gemm gemm{Quant::bf16, 4, 32, 64};
  EXPECT_EQ(kernel_for(gemm)->prepare(encode(gemm), *device)->detail(), "");
  device->set_tuned_algorithms(3);
  // The stand-in's algorithms, from the first usable one on, are 101, 102, ... and equally fast.
  EXPECT_EQ(kernel_for(gemm)->prepare(encode(gemm), *device)->detail(), "algorithm 101, fastest of 3");
  EXPECT_LT(error_of(gemm), 4e-3);
}

TEST_F(GemmOnFakes, OddShapesRunWhereTheLibraryAllowsThem) {
  start();
  for (const Quant quant : {Quant::f32, Quant::bf16}) EXPECT_LT(error_of({quant, 5, 7, 3}), 4e-3);
}

TEST_F(GemmOnFakes, NamesTheKernelThatRuns) {
  start();
  EXPECT_EQ(kernel_for({Quant::bf16, 8, 8, 8})->name, "cublaslt_matmul");
  EXPECT_EQ(kernel_for({Quant::int8, 8, 8, 8})->name, "cublaslt_matmul_int32_to_bf16");
}

TEST_F(GemmOnFakes, RefusesWithAReason) {
  runtime->properties.sm_version = 80;
  start();
  EXPECT_THAT(reasons({Quant::fp8, 16, 16, 16}),
              HasSubstr("fp8 needs compute capability 8.9, Fake GPU has 8.0"));
  runtime->properties.sm_version = 89;
  start();
  EXPECT_THAT(reasons({Quant::fp8_rowwise, 16, 16, 16}),
              HasSubstr("fp8_rowwise needs compute capability 9.0, Fake GPU has 8.9"));
  runtime->properties.sm_version = 90;
  start();
  EXPECT_EQ(kernel_for({Quant::w4afp8, 128, 128, 128}), nullptr);
  EXPECT_THAT(reasons({Quant::w4afp8, 128, 128, 128}), HasSubstr("no w4afp8 kernel in this build"));
  EXPECT_THAT(reasons({Quant::nvfp4, 128, 128, 128}), HasSubstr("nvfp4 needs compute capability 10.0"));
  EXPECT_THAT(reasons({Quant::mxfp8, 128, 128, 128}),
              HasSubstr("mxfp8 needs compute capability 10.0, Fake GPU has 9.0"));
  EXPECT_THAT(reasons({Quant::mxfp8, 128, 128, 144}), HasSubstr("k a multiple of 32"));
  EXPECT_THAT(reasons({Quant::fp8_block, 3, 128, 128}), HasSubstr("m and n multiples of 4 for fp8_block"));
  EXPECT_THAT(reasons({Quant::fp8, 16, 16, 24}), HasSubstr("k a multiple of 16"));
  EXPECT_THAT(reasons({Quant::int8, 16, 6, 16}), HasSubstr("n of 4"));
  runtime->properties.sm_version = 100;
  start();
  for (const Quant quant : {Quant::fp8_block, Quant::fp8_rowwise})
    EXPECT_THAT(reasons({quant, 128, 128, 128}),
                HasSubstr("on compute capability 9.0 only, Fake GPU has 10.0"));
}

TEST_F(GemmOnFakes, AMissingLibraryIsAReasonNotACrash) {
  start(LibrarySearch{});
  EXPECT_THAT(reasons({Quant::bf16, 8, 8, 8}), HasSubstr("cuBLASLt was not found"));
  setenv("FAKE_CUBLASLT_NO_HANDLE", "1", 1);
  start();
  unsetenv("FAKE_CUBLASLT_NO_HANDLE");
  EXPECT_THAT(reasons({Quant::bf16, 8, 8, 8}), HasSubstr("cublasLtCreate"));
}

}  // namespace
}  // namespace perfatlas
