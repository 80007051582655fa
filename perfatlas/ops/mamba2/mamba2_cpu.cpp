// SPDX-License-Identifier: Apache-2.0
// Which CPU kernels there are, best first, and when they can run.
#include "perfatlas/ops/mamba2/mamba2_cpu.h"

#include <fmt/format.h>

#include "perfatlas/ops/mamba2/causal_conv_cpu.h"

namespace perfatlas {
namespace {

/// Longer chunks need scratch of their square.
constexpr int64_t kLongestChunk = 1024;

bool is_conv(const Mamba2& op) {
  return op.kernel.text() == Mamba2::kConvFn || op.kernel.text() == Mamba2::kConvUpdate;
}
bool is_recurrence(const Mamba2& op) {
  return op.kernel.text() == Mamba2::kChunkScan || op.kernel.text() == Mamba2::kStateUpdate;
}

std::string why_no_vectors(const CpuDevice& device) {
  if (!device.isa().avx512) return "this CPU has no AVX-512";
  return device.isa().avx512_bf16 ? "" : "this CPU has no AVX-512 bf16 instructions";
}

std::string why_other(const Mamba2& op, std::string_view what) {
  if (!is_conv(op) && !is_recurrence(op))
    return fmt::format("no CPU kernel for the sub-kernel {}", op.kernel.text());
  return fmt::format("it computes {}, not {}", what, op.kernel.text());
}

std::string why_no_portable_conv(const Mamba2& op, const CpuDevice&) {
  return is_conv(op) ? why_no_conv(op.conv_shape()) : why_other(op, "convolutions");
}
std::string why_no_vector_conv(const Mamba2& op, const CpuDevice& device) {
  const std::string reason = why_no_portable_conv(op, device);
  return reason.empty() ? why_no_vectors(device) : reason;
}
std::string why_no_portable_recurrence(const Mamba2& op, const CpuDevice&) {
  return is_recurrence(op) ? "" : why_other(op, "recurrences");
}
std::string why_no_vector_recurrence(const Mamba2& op, const CpuDevice& device) {
  const std::string reason = why_no_portable_recurrence(op, device);
  return reason.empty() ? why_no_vectors(device) : reason;
}
std::string why_no_chunks(const Mamba2& op, const CpuDevice& device) {
  if (op.kernel.text() != Mamba2::kChunkScan) return why_other(op, "scans of prompts");
  if (op.chunk > kLongestChunk) return fmt::format("chunk_size {} is more than {}", op.chunk, kLongestChunk);
  if (op.seq < 2) return "a prompt of one token has nothing to multiply";
  return why_no_vectors(device);
}

template <auto make>
std::unique_ptr<PreparedKernel> prepare_conv(const Mamba2& op, CpuDevice& device) {
  return make(op.conv_shape(), device);
}

}  // namespace

void add_mamba2_cpu_kernels(KernelRegistry& registry) {
  using Entry = Kernel<Mamba2, CpuDevice>;
  registry.add(Entry{"onednn_matmul_chunk_scan", "onednn", &why_no_chunks, &make_chunked_mamba2});
  registry.add(
      Entry{"perfatlas_avx512_recurrence", "onednn", &why_no_vector_recurrence, &make_vector_mamba2});
  registry.add(
      Entry{"perfatlas_avx512_conv", "onednn", &why_no_vector_conv, &prepare_conv<make_vector_conv>});
  registry.add(
      Entry{"perfatlas_portable_recurrence", "onednn", &why_no_portable_recurrence, &make_portable_mamba2});
  registry.add(
      Entry{"perfatlas_portable_conv", "onednn", &why_no_portable_conv, &prepare_conv<make_portable_conv>});
}

}  // namespace perfatlas
