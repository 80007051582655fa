// SPDX-License-Identifier: Apache-2.0
// Needs a GPU (label cuda). Figures by which a machine's first run is judged; each is printed with what it stands
// beside.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/backends/cuda/cuda_matmul.h"
#include "perfatlas/backends/harness.h"
#include "perfatlas/backends/operand_fill.h"
#include "perfatlas/measure/statistics.h"
#include "perfatlas/ops/gemm/gemm.h"

namespace perfatlas {
void add_gemm_cuda_kernels(KernelRegistry& registry);

namespace {

class HardwareFigures : public testing::Test {
 protected:
  HardwareFigures() { device_.measure_launching(); }

  /// Milliseconds of one launch, as rows have them.
  double median_ms(const Case& what, const KernelEntry& kernel, CacheState cache) {
    OperandStore store(device_);
    PreparedCase prepared({what, &kernel, cache, 1}, device_, store);
    return statistics_of(prepared.sample({.warmups = 3, .repetitions = 30, .max_total_ms = 3000}).latency_ms)
        .median;
  }

  /// Milliseconds of one of `count` calls of `enqueue` between two events: the best of five.
  template <class Enqueue>
  double looped_ms(int count, const Enqueue& enqueue) {
    CudaRuntime& runtime = device_.runtime();
    const CudaEvent from = runtime.create_event(), to = runtime.create_event();
    double best_ms = 1e30;
    for (int repetition = 0; repetition < 5; ++repetition) {
      runtime.record(from, device_.stream());
      for (int i = 0; i < count; ++i) enqueue();
      runtime.record(to, device_.stream());
      device_.synchronize();
      best_ms = std::min(best_ms, runtime.elapsed_ms(from, to) / count);
    }
    runtime.destroy_event(from), runtime.destroy_event(to);
    return best_ms;
  }

  CudaDevice device_{make_cuda_runtime(), "cuda:0", library_search()};
  KernelRegistry kernels_;
};

/// A row says what a program of one's own around the library would see.
TEST_F(HardwareFigures, GemmReachesNineTenthsOfALoopAroundCublas) {
  add_gemm_cuda_kernels(kernels_);
  constexpr int64_t kEdge = 8192;
  const Gemm gemm{Quant::bf16, kEdge, kEdge, kEdge};
  const OpType type = make_op_type<Gemm>();
  const double row_ms = median_ms(make_case(type, gemm), *kernels_.of("gemm", "cuda")[0], CacheState::hot);

  CudaMatmul matmul({.types = *matmul_types(DType::bf16), .rows = kEdge, .cols = kEdge, .depth = kEdge},
                    device_);
  // Numbers as in rows: zeros run faster.
  const std::vector<std::byte> content = random_elements(DType::bf16, size_t(kEdge * kEdge), 1);
  const size_t bytes = content.size();
  const auto a = device_.allocate(bytes), w = device_.allocate(bytes), d = device_.allocate(bytes),
             workspace = device_.allocate(matmul.workspace_bytes());
  for (const auto& memory : {a, w}) device_.copy_in(memory.get(), content.data(), bytes);
  const double loop_ms = looped_ms(20, [&] {
    matmul.enqueue({a.get(), w.get(), d.get(), workspace.get()}, device_.stream());
  });
  const double tflop = 2 * double(kEdge) * kEdge * kEdge * 1e-12;
  fmt::print("gemm bf16 8192^3: {:.1f} TFLOP/s as a row, {:.1f} in a loop around cuBLASLt: {:.1f} %\n",
             tflop / (row_ms * 1e-3), tflop / (loop_ms * 1e-3), 100 * loop_ms / row_ms);
  EXPECT_GE(loop_ms / row_ms, 0.9);
}

TEST_F(HardwareFigures, TimedCopiesCopyEverything) {
  const size_t bytes = size_t(1) << 30;
  const auto from = device_.allocate(bytes), to = device_.allocate(bytes);
  std::vector<uint32_t> content(bytes / sizeof(uint32_t)), copied(content.size());
  std::iota(content.begin(), content.end(), 0u);
  device_.copy_in(from.get(), content.data(), bytes);
  const double ms = looped_ms(5, [&] { device_.copy(to.get(), from.get(), bytes); });
  fmt::print("copy within the device: {:.0f} GB/s read and written\n", 2 * double(bytes) / ms * 1e-6);
  device_.copy_out(copied.data(), to.get(), bytes);
  EXPECT_TRUE(copied == content);
}

}  // namespace
}  // namespace perfatlas
