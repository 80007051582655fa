// SPDX-License-Identifier: Apache-2.0
// A gather of rows; oneDNN 3.2 has none. The bytes are copied, so every type has a kernel.
#include <cstring>

#include "perfatlas/backends/cpu/loop_kernel.h"
#include "perfatlas/ops/embedding/embedding.h"

namespace perfatlas {
namespace {

void gather_rows(const Embedding& op, std::span<void* const> operands, int64_t first, int64_t last) {
  const auto* ids = static_cast<const int32_t*>(operands[0]);
  const auto* table = static_cast<const std::byte*>(operands[1]);
  auto* out = static_cast<std::byte*>(operands[2]);
  const auto row_bytes = size_t(double(op.hidden) * bytes_of(op.dtype));
  for (int64_t token = first; token < last; ++token)
    std::memcpy(out + size_t(token) * row_bytes, table + size_t(ids[token]) * row_bytes, row_bytes);
}

}  // namespace

void add_embedding_cpu_kernels(KernelRegistry& registry) {
  registry.add(Kernel<Embedding, CpuDevice>{
      "perfatlas_row_copies", "onednn", [](const Embedding&, const CpuDevice&) { return std::string(); },
      [](const Embedding& op, CpuDevice& device) -> std::unique_ptr<PreparedKernel> {
        return std::make_unique<LoopKernel<Embedding>>(op, op.tokens, device.threads(), &gather_rows);
      }});
}

}  // namespace perfatlas
