// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/cuda_matmul.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "perfatlas/backends/operand_fill.h"

namespace perfatlas {
namespace {

std::shared_ptr<void> ones(size_t bytes, MatmulScales scales, CudaDevice& device) {
  if (bytes == 0) return nullptr;
  std::shared_ptr<void> memory = device.allocate(bytes);
  if (scales == MatmulScales::vec16 || scales == MatmulScales::vec32) {
    const uint8_t one = scales == MatmulScales::vec16 ? kOneE4m3 : kOneE8m0;
    device.copy_in(memory.get(), std::vector<uint8_t>(bytes, one).data(), bytes);
  } else {
    device.copy_in(memory.get(), std::vector<float>(bytes / sizeof(float), 1.0F).data(), bytes);
  }
  return memory;
}

/// The operand type of random content for a product of `math`.
DType stored_type(DType math) { return math == DType::tf32 ? DType::f32 : math; }

/// Operands of a product, for tuning: random, since zeros run faster.
struct Scratch {
  Scratch(const MatmulProblem& problem, CudaDevice& device) {
    const auto filled = [&](int64_t elements) {
      const std::vector<std::byte> content =
          random_elements(stored_type(problem.types.math), size_t(elements + elements % 2), 1);
      std::shared_ptr<void> memory = device.allocate(content.size());
      device.copy_in(memory.get(), content.data(), content.size());
      return memory;
    };
    a = filled(problem.batches * problem.rows * problem.depth);
    w = filled(problem.batches * problem.cols * problem.depth);
    d = device.allocate(size_t(problem.batches * problem.rows * problem.cols) * sizeof(float));
    workspace = device.allocate(MatmulPlan::kMaxWorkspaceBytes);
  }
  std::shared_ptr<void> a, w, d, workspace;
};

/// The best of a few repetitions: a batch of launches between two events each.
double time_plan(const MatmulPlan& plan, const Scratch& scratch, CudaDevice& device) {
  constexpr int kRepetitions = 5, kLaunches = 10;
  CudaRuntime& runtime = device.runtime();
  const Stream stream = device.stream();
  const MatmulPlan::Buffers buffers{scratch.a.get(), scratch.w.get(), scratch.d.get(),
                                    scratch.workspace.get()};
  const auto event = [&] {
    return std::shared_ptr<void>(runtime.create_event(),
                                 [&runtime](CudaEvent made) { runtime.destroy_event(made); });
  };
  const std::shared_ptr<void> from = event(), to = event();
  plan.enqueue(buffers, stream);
  double best_ms = 1e30;
  for (int i = 0; i < kRepetitions; ++i) {
    runtime.record(from.get(), stream);
    for (int launch = 0; launch < kLaunches; ++launch) plan.enqueue(buffers, stream);
    runtime.record(to.get(), stream);
    runtime.synchronize(stream);
    best_ms = std::min(best_ms, runtime.elapsed_ms(from.get(), to.get()) / kLaunches);
  }
  return best_ms;
}

std::string capability(int sm) { return fmt::format("{}.{}", sm / 10, sm % 10); }

}  // namespace

std::string why_no_matmul(const MatmulProblem& problem, std::string_view type, const CudaDevice& device) {
  const MatmulTypes& types = problem.types;
  const MatmulScaleLimits limits = limits_of(problem.scales);
  const int needed = std::max(types.min_sm, limits.oldest_sm);
  if (device.sm_version() < needed)
    return fmt::format("{} needs compute capability {}, {} has {}", type, capability(needed),
                       device.info().name, capability(device.sm_version()));
  if (device.sm_version() > limits.newest_sm)
    return fmt::format("cuBLASLt multiplies {} on compute capability {} only, {} has {}", type,
                       capability(limits.newest_sm), device.info().name, capability(device.sm_version()));
  if (problem.rows % limits.rows_multiple != 0 || problem.cols % limits.rows_multiple != 0)
    return fmt::format("cuBLASLt needs m and n multiples of {} for {}", limits.rows_multiple, type);
  if (problem.depth % types.depth_multiple != 0 || problem.cols % types.cols_multiple != 0)
    return fmt::format("cuBLASLt needs k a multiple of {} and n of {} for {}", types.depth_multiple,
                       types.cols_multiple, type);
  return device.cublaslt().reason();
}

CudaMatmul::CudaMatmul(MatmulProblem problem, CudaDevice& device)
    : a_scales_(ones(a_scale_bytes(problem), problem.scales, device)),
      w_scales_(ones(w_scale_bytes(problem), problem.scales, device)) {
  problem.a_scales = a_scales_.get();
  problem.w_scales = w_scales_.get();
  MatmulTuning tuning{.candidates = device.tuned_algorithms()};
  std::unique_ptr<Scratch> scratch;
  if (tuning.candidates > 1) {
    scratch = std::make_unique<Scratch>(problem, device);
    tuning.timer = [&](const MatmulPlan& plan) { return time_plan(plan, *scratch, device); };
  }
  plan_ = std::make_unique<MatmulPlan>(device.cublaslt(), problem, tuning);
}

}  // namespace perfatlas
