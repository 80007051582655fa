// SPDX-License-Identifier: Apache-2.0
// Sparse latent attention by FlashInfer's dense one: every new token is a request of one query row, whose pages hold
// one token each, and are those that were selected for it.
#pragma once

#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/backends/kernel.h"
#include "perfatlas/ops/dsa/dsa_attention.h"
#include "perfatlas/ops/mla/mla_cuda_unit.h"

namespace perfatlas {

/// A launch that turns the selected positions into places of the cache, as engines do per layer, then one of what
/// `make` plans (a unit of mla_cuda_units.cmake). REQUIRES: why_no_sparse_mla() is empty.
std::unique_ptr<PreparedKernel> make_sparse_mla(const DsaAttention& op, CudaDevice& device,
                                                MakeMlaDecode* make);

/// Why FlashInfer's kernels cannot have such a case, whatever the build; empty when they can.
std::string why_no_sparse_mla(const DsaAttention& op);

/// flashinfer_sparse_mla_sm90, flashinfer_sparse_mla_fa2.
void add_flashinfer_sparse_mla(KernelRegistry& registry);

}  // namespace perfatlas
