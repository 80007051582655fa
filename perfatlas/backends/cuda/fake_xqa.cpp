// SPDX-License-Identifier: Apache-2.0
// For tests: a module of XQA whose device memory is host memory, for bf16 caches and 8 query heads of 128 elements per
// key/value head. Like the real one it needs semaphores of zero.
#include <cuda_bf16.h>

#include <cmath>
#include <vector>

#include "perfatlas/backends/cuda/fake_stream.h"
#include "perfatlas/ops/attention/attention_cuda_xqa_module.h"

namespace perfatlas {
namespace {

constexpr uint32_t kGroup = 8, kDim = 128, kPage = 64;

void attend(const XqaLaunch& l, uint32_t sequence, uint32_t head) {
  const auto* q = static_cast<const __nv_bfloat16*>(l.q);
  const size_t row = (size_t(sequence) * l.kv_heads * kGroup + head) * kDim;
  const auto at = [&](const void* cache, uint32_t token) {
    const auto page = size_t(l.page_table[sequence * l.pages_per_sequence + token / kPage]);
    return static_cast<const __nv_bfloat16*>(cache) +
           ((page * l.kv_heads + head / kGroup) * kPage + token % kPage) * kDim;
  };
  const uint32_t tokens = l.tokens[sequence];
  std::vector<double> weights(tokens), sums(kDim);
  double total = 0;
  for (uint32_t token = 0; token < tokens; ++token) {
    double score = 0;
    for (uint32_t d = 0; d < kDim; ++d) score += double(q[row + d]) * double(at(l.k_cache, token)[d]);
    total += weights[token] = std::exp(score * double(l.query_scale) / std::sqrt(double(kDim)));
  }
  for (uint32_t token = 0; token < tokens; ++token)
    for (uint32_t d = 0; d < kDim; ++d) sums[d] += weights[token] * double(at(l.v_cache, token)[d]);
  for (uint32_t d = 0; d < kDim; ++d)
    static_cast<__nv_bfloat16*>(l.out)[row + d] = __float2bfloat16_rn(float(sums[d] / total));
}

}  // namespace
}  // namespace perfatlas

extern "C" const char* perfatlas_xqa_version() { return PERFATLAS_XQA_INTERFACE "/" PERFATLAS_FLASHINFER; }

extern "C" int perfatlas_xqa_launch(const perfatlas::XqaLaunch& launch) {
  for (uint32_t i = 0; i < launch.batch * launch.kv_heads; ++i)
    if (launch.semaphores[i] != 0) return 1;
  static_cast<perfatlas::FakeStream*>(launch.stream)->take([launch] {
    for (uint32_t sequence = 0; sequence < launch.batch; ++sequence)
      for (uint32_t head = 0; head < launch.kv_heads * perfatlas::kGroup; ++head)
        perfatlas::attend(launch, sequence, head);
  });
  return 0;
}
