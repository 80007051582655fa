// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/attention/attention_cuda_xqa.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "perfatlas/backends/cuda/cuda_units.h"
#include "perfatlas/backends/cuda/kernel_checks_test.h"
#include "perfatlas/ops/attention/attention.h"

namespace perfatlas {
void add_attention_cuda_kernels(KernelRegistry&);
namespace {

using testing::HasSubstr;
constexpr AttentionGeneration kSmall{.batch = 3, .heads = 16, .kv_heads = 2, .head_dim = 128, .step = 130};

struct Xqa : CudaKernelChecks {
  Xqa() : CudaKernelChecks(&add_attention_cuda_kernels) {
    device_.set_module_folder(PERFATLAS_FAKE_LIBRARIES);
    for (const KernelEntry* kernel : kernels_.of("attention_generation", "cuda"))
      if (kernel->name == "flashinfer_xqa_decode") kernel_ = kernel;
  }
  std::string reason(const AttentionGeneration& op) {
    return reasons_of_kernels(op, {kernel_}, device_).at(0);
  }

  const KernelEntry* kernel_ = nullptr;
};

TEST_F(Xqa, TheModuleGetsWhatTheOpDeclares) {
  EXPECT_EQ(reason(kSmall), "");
  EXPECT_EQ(failures_of_kernels(kSmall, {kernel_}, device_, checked_), "");
  EXPECT_EQ(checked_, 1);
}

TEST_F(Xqa, RefusesWhatNoModuleIsFor) {
  AttentionGeneration op = kSmall;
  op.window = 64;
  EXPECT_THAT(reason(op), HasSubstr("no window"));
  op = kSmall, op.dtype = op.kv_dtype = DType::f16;
  EXPECT_THAT(reason(op), HasSubstr("bfloat16 queries"));
  op = kSmall, op.heads = 6;
  EXPECT_THAT(reason(op), HasSubstr("no perfatlas_xqa_bf16_bf16_128_3.so in " PERFATLAS_FAKE_LIBRARIES));
  op = kSmall, op.batch = 65536;
  EXPECT_THAT(reason(op), HasSubstr("at most 65535 sequences"));
}

TEST_F(Xqa, RefusesAModuleOfAnotherBuild) {
  AttentionGeneration op = kSmall;
  op.kv_dtype = DType::fp8_e4m3;  // the stand-in of this name says so
  EXPECT_THAT(reason(op),
              HasSubstr("perfatlas_xqa_bf16_fp8_128_8.so is of another build: it is 1/of old, this"));
}

TEST_F(Xqa, AModuleThatCannotBeOpenedSaysWhy) {
  const std::filesystem::path folder = testing::TempDir() + "/xqa_modules";
  std::filesystem::create_directories(folder);
  const std::filesystem::path file = folder / xqa_module_file(kSmall.shape());
  std::fclose(std::fopen(file.c_str(), "w"));
  device_.set_module_folder(folder);
  EXPECT_THAT(reason(kSmall), HasSubstr("XQA could not be loaded"));
}

TEST(XqaParts, EveryPartThatHasNoXqaIsNamed) {
  auto runtime = std::make_shared<FakeRuntime>();
  runtime->properties.sm_version = 80;
  const CudaDevice device(runtime, "cuda:0", {});
  EXPECT_THAT(why_no_xqa(kSmall.shape(), device),
              HasSubstr("needs compute capability 9.0 or newer, Fake GPU has 8.0"));
  runtime->properties.sm_version = 100;
  const CudaDevice blackwell(runtime, "cuda:0", {});
  AttentionShape shape = kSmall.shape();
  shape.kv_dtype = DType::fp8_e4m3;
  EXPECT_THAT(why_no_xqa(shape, blackwell), HasSubstr("is for compute capability 9.0, Fake GPU has 10.0"));
}

/// Their initialisers ask the CUDA runtime, which finds no device here: that must not keep them from being opened.
TEST(XqaModules, OfThisBuildOpenWithoutADeviceAndAreOfThisBuild) {
  CudaDevice device(std::make_shared<FakeRuntime>(), "cuda:0", {});
  device.set_module_folder(PERFATLAS_MODULE_FOLDER);
  int opened = 0;
  for (const auto& entry : std::filesystem::directory_iterator(PERFATLAS_MODULE_FOLDER)) {
    if (!entry.path().filename().string().starts_with("perfatlas_xqa_")) continue;
    for (const DType cache : {DType::bf16, DType::fp8_e4m3})
      for (const int64_t group : {8, 4}) {
        const AttentionShape shape{.heads = group, .kv_heads = 1, .kv_dtype = cache};
        if (entry.path().filename() != xqa_module_file(shape)) continue;
        ++opened;
        EXPECT_EQ(why_no_xqa(shape, device), "");
      }
  }
  EXPECT_EQ(opened, PERFATLAS_MODULE_COUNT);
}

}  // namespace
}  // namespace perfatlas
