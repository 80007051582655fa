// SPDX-License-Identifier: Apache-2.0
// Kernels that are one parallel loop over independent items (rows, tokens): what memory-bound ops run where no library
// has them. Each op gives the loop body twice: for AVX-512 and in plain C++.
#pragma once

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/kernel.h"

namespace perfatlas {

/// Bytes below which one more thread costs more (it must be woken and waited for) than it saves.
inline constexpr double kBytesPerThread = 16384;

/// Does the items first .. last-1 of one launch. Must not throw.
template <class Op>
using LoopShare = void (*)(const Op& op, std::span<void* const> operands, int64_t first, int64_t last);

template <class Op>
class LoopKernel final : public PreparedKernel {
 public:
  /// REQUIRES: items, threads >= 1.
  LoopKernel(const Op& op, int64_t items, int threads, LoopShare<Op> share)
      : op_(op), items_(items), share_(share) {
    const auto useful = int64_t(op.work().bytes() / kBytesPerThread);
    threads_ = int(std::clamp<int64_t>(std::min(useful, items), 1, threads));
  }

  void launch(Stream, std::span<void* const> operands, void*) override {
    if (threads_ == 1) return share_(op_, operands, 0, items_);
#pragma omp parallel num_threads(threads_)
    {
      const int64_t threads = omp_get_num_threads(), thread = omp_get_thread_num();
      share_(op_, operands, items_ * thread / threads, items_ * (thread + 1) / threads);
    }
  }

 private:
  Op op_;
  int64_t items_;
  LoopShare<Op> share_;
  int threads_;
};

/// Registers "perfatlas_avx512_loop". Loops names the op and its loops:
///   using Op = ...;
///   static std::string why_not(const Op&);            // types without a loop; empty: supported
///   static int64_t items(const Op&);
///   static LoopShare<Op> avx512(const Op&);
///   static LoopShare<Op> portable(const Op&);
template <class Loops>
void add_avx512_loop(KernelRegistry& registry) {
  using Op = typename Loops::Op;
  registry.add(Kernel<Op, CpuDevice>{
      "perfatlas_avx512_loop", "onednn",
      [](const Op& op, const CpuDevice& device) {
        if (std::string reason = Loops::why_not(op); !reason.empty()) return reason;
        return std::string(device.isa().avx512 && device.isa().avx512_bf16
                               ? ""
                               : "this CPU has no AVX-512 with bf16 instructions");
      },
      [](const Op& op, CpuDevice& device) -> std::unique_ptr<PreparedKernel> {
        return std::make_unique<LoopKernel<Op>>(op, Loops::items(op), device.threads(), Loops::avx512(op));
      }});
}

/// Registers "perfatlas_portable_loop", which runs on any CPU.
template <class Loops>
void add_portable_loop(KernelRegistry& registry) {
  using Op = typename Loops::Op;
  registry.add(Kernel<Op, CpuDevice>{
      "perfatlas_portable_loop", "onednn", [](const Op& op, const CpuDevice&) { return Loops::why_not(op); },
      [](const Op& op, CpuDevice& device) -> std::unique_ptr<PreparedKernel> {
        return std::make_unique<LoopKernel<Op>>(op, Loops::items(op), device.threads(), Loops::portable(op));
      }});
}

/// Both.
template <class Loops>
void add_loop_kernels(KernelRegistry& registry) {
  add_avx512_loop<Loops>(registry);
  add_portable_loop<Loops>(registry);
}

/// Why no plain loop takes activations of `type`, or empty.
inline std::string why_no_loop_type(DType type) {
  if (type == DType::f32 || type == DType::bf16) return {};
  return fmt::format("no CPU loop takes {}: only float32 and bfloat16", name_of(type));
}

}  // namespace perfatlas
