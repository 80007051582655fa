// SPDX-License-Identifier: Apache-2.0
// Sparse attention blocks on a CPU, from the kernels of their ops.
#pragma once

#include "perfatlas/ops/dsa/dsa_cpu.h"
#include "perfatlas/ops/mla_module/mla_module_cpu_parts.h"

namespace perfatlas {

/// Scores of one piece of a long prompt: 64 MB of them.
inline constexpr int64_t kPieceScores = 16 << 20;

/// Why the block cannot be put together, or empty.
std::string why_no_dsa_block(const MlaModuleCase& c, DsaIndexer indexer, const CpuDevice& device);

/// REQUIRES: why_no_dsa_block() is empty.
std::unique_ptr<PreparedKernel> make_dsa_block(const MlaModuleCase& c, DsaIndexer indexer, CpuDevice& device,
                                               int64_t piece_scores = kPieceScores);

}  // namespace perfatlas
