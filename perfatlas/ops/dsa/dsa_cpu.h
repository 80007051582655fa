// SPDX-License-Identifier: Apache-2.0
// The CPU kernels of sparse attention: makers, and what they share.
#pragma once

#include "perfatlas/ops/attention/attention_cpu.h"
#include "perfatlas/ops/dsa/dsa.h"

namespace perfatlas {

/// The row of a paged cache, `width` elements per token, that holds one position of one sequence.
template <class T>
const T* dsa_cached(const DsaShape& s, const T* cache, const int32_t* page_table, int64_t sequence,
                    int64_t position, int64_t width) {
  const int64_t page = page_table[sequence * s.pages_per_sequence() + position / kPageTokens];
  return cache + (page * kPageTokens + position % kPageTokens) * width;
}

/// oneDNN products of cache pages with packed queries; rectified, weighted and summed in AVX-512.
/// REQUIRES: AVX-512, with its bf16 extension for bf16.
std::unique_ptr<PreparedKernel> make_blocked_logits(const DsaMqaLogits& op, CpuDevice& device);

/// Radix selection: histograms of the scores' bits narrow down the threshold, then one pass takes what is above it.
/// REQUIRES: AVX-512 for the first.
std::unique_ptr<PreparedKernel> make_avx512_topk(const DsaTopk& op, CpuDevice& device);
std::unique_ptr<PreparedKernel> make_portable_topk(const DsaTopk& op, CpuDevice& device);

/// Gathers and packs the selected rows of the cache for oneDNN matmuls with an online softmax between them.
/// REQUIRES: AVX-512, with its bf16 extension for bf16; kv_lora + rope a multiple of 32.
std::unique_ptr<PreparedKernel> make_gathered_attention(const DsaAttention& op, CpuDevice& device);

/// Plain loops for any CPU.
std::unique_ptr<PreparedKernel> make_portable_logits(const DsaMqaLogits& op, CpuDevice& device);
std::unique_ptr<PreparedKernel> make_portable_dsa_attention(const DsaAttention& op, CpuDevice& device);

}  // namespace perfatlas
