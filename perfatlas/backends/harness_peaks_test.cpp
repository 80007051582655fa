// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/harness_peaks.h"

#include <gtest/gtest.h>

#include "perfatlas/backends/harness_fake.h"
#include "perfatlas/base/error.h"
#include "perfatlas/ops/gemm/gemm.h"

namespace perfatlas {
namespace {

class Noop final : public PreparedKernel {
 public:
  void launch(Stream, std::span<void* const>, void*) override {}
};

/// A gemm kernel of float32 and bfloat16 that calls `prepare` first, which may throw.
struct GemmBench {
  OpRegistry ops;
  KernelRegistry kernels;
  FakeDevice device;

  explicit GemmBench(const std::function<void(const Gemm&)>& prepare) {
    ops.add(make_op_type<Gemm>());
    kernels.add({Gemm::info.id, "fake_gemm", "fake",
                 [](const FieldValues& values, const Device&) {
                   const Quant quant = decode<Gemm>(values).dtype;
                   return std::string(quant == Quant::f32 || quant == Quant::bf16 ? "" : "not here");
                 },
                 [prepare](const FieldValues& values, Device&) {
                   prepare(decode<Gemm>(values));
                   return std::make_unique<Noop>();
                 }});
    device.description.memory_bytes = 20e6;  // holds the smallest shape of float32, the second of no type
    device.launch_ms = 0.01;
  }
  std::map<DType, MeasuredPeaks::Peak> peaks() { return measure_gemm_peaks(device, ops, kernels, 1); }
};

constexpr double kRate = 2.0 * 1024 * 1024 * 1024 / 0.01e-3;  // of the smallest shape, in the scripted time

TEST(GemmPeaks, WhatTheMemoryDoesNotHoldIsLeftOut) {
  GemmBench bench([](const Gemm&) {});
  const auto peaks = bench.peaks();
  ASSERT_EQ(peaks.size(), 2u);
  for (const DType type : {DType::f32, DType::bf16}) EXPECT_NEAR(peaks.at(type).value / kRate, 1, 1e-9);
}

TEST(GemmPeaks, ATypeThatFailsIsAbsentAndTheOthersAreMeasured) {
  GemmBench bench([](const Gemm& gemm) {
    if (gemm.dtype == Quant::f32) throw Error("no algorithm");
  });
  const auto peaks = bench.peaks();
  EXPECT_EQ(peaks.size(), 1u);
  EXPECT_TRUE(peaks.contains(DType::bf16));
}

TEST(GemmPeaks, ATypeThatFailsOnALargerShapeIsAbsent) {
  GemmBench bench([](const Gemm& gemm) {
    if (gemm.dtype == Quant::f32 && gemm.m > 1024) throw Error("no algorithm");
  });
  bench.device.description.memory_bytes = 70e6;  // holds the second shape of float32
  const auto peaks = bench.peaks();
  EXPECT_FALSE(peaks.contains(DType::f32));
  EXPECT_TRUE(peaks.contains(DType::bf16));
}

TEST(GemmPeaks, AFailingLaunchLeavesItsTypeAbsent) {
  int failures_left = 1;
  GemmBench bench([](const Gemm&) {});
  bench.device.before_run = [&] {
    if (failures_left-- > 0) throw Error("launch failed");
  };
  const auto peaks = bench.peaks();
  EXPECT_FALSE(peaks.contains(DType::f32));  // the first type
  EXPECT_TRUE(peaks.contains(DType::bf16));
}

TEST(GemmPeaks, ALostDeviceEndsTheProbe) {
  GemmBench bench([](const Gemm&) {});
  bench.device.before_run = [&] {
    bench.device.gone = true;
    throw Error("context lost");
  };
  EXPECT_THROW(bench.peaks(), Error);
}

}  // namespace
}  // namespace perfatlas
