// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/cuda_probe.h"

#include <gtest/gtest.h>

#include "perfatlas/backends/cuda/fake_runtime.h"
#include "perfatlas/ops/all_ops.h"

namespace perfatlas {
namespace {

TEST(CudaProbe, ReadsBeyondAndWithinTheL2) {
  const auto runtime = std::make_shared<FakeRuntime>();
  runtime->properties.memory_bytes = size_t(4) << 30;
  runtime->properties.l2_bytes = size_t(32) << 20;
  runtime->work_ms = 1;
  CudaDevice device(runtime, "cuda:0", LibrarySearch{});
  const MeasuredPeaks peaks = measure_cuda_peaks(device, all_ops(), KernelRegistry{}, 0.001);
  ASSERT_TRUE(peaks.memory_bandwidth && peaks.llc_bandwidth);
  EXPECT_DOUBLE_EQ(peaks.memory_bandwidth->value, double(size_t(1) << 30) / 1e-3);
  EXPECT_DOUBLE_EQ(peaks.llc_bandwidth->value, double(size_t(8) << 20) / 1e-3);
  EXPECT_EQ(peaks.memory_bandwidth->rel_ci95, 0);
  EXPECT_TRUE(peaks.flops.empty());      // no kernels there
  EXPECT_LT(runtime->allocated, 1000u);  // the stamps of the clock
}

TEST(CudaProbe, WhatDoesNotFitIsAbsent) {
  const auto runtime = std::make_shared<FakeRuntime>();
  runtime->properties.memory_bytes = size_t(64) << 20;
  runtime->properties.l2_bytes = size_t(32) << 20;
  CudaDevice device(runtime, "cuda:0", LibrarySearch{});
  const MeasuredPeaks peaks = measure_cuda_peaks(device, all_ops(), KernelRegistry{}, 0.001);
  EXPECT_FALSE(peaks.memory_bandwidth);
  EXPECT_TRUE(peaks.llc_bandwidth);
}

}  // namespace
}  // namespace perfatlas
