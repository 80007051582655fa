// SPDX-License-Identifier: Apache-2.0
// FlashInfer appends to a cache of the same type and head by head only; this one converts, too, and knows the MLA
// latent.
#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/ops/attention/attention_cuda_rows.cuh"
#include "perfatlas/ops/kv_cache_write/kv_cache_write.h"

namespace perfatlas {
namespace {

template <class From, class To>
struct WriteOperands : WriteTokensBody<From, To> {
  KvCacheWrite op;

  explicit WriteOperands(const KvCacheWrite& op) : WriteTokensBody<From, To>(op.shape()), op(op) {
    this->count = 2;
  }
  void bind(std::span<void* const> operands, void*) {
    const auto from = [&](size_t at) { return static_cast<const From*>(operands[at]); };
    const auto cache = [&](size_t at) { return static_cast<To*>(operands[at]); };
    this->page_table = static_cast<const int32_t*>(operands.back());
    const int64_t width = op.head_dim, plain = width - op.rope_dim;
    if (op.latent()) {
      this->pieces[0] = {from(0), cache(2), plain, width, 0};
      this->pieces[1] = {from(1), cache(2), op.rope_dim, width, plain};
    } else {
      this->pieces[0] = {from(0), cache(2), width, width, 0};
      this->pieces[1] = {from(1), cache(3), width, width, 0};
    }
  }
};

std::string why_not(const KvCacheWrite& op, const CudaDevice&) {
  if (std::string reason = why_not_wide(op.dtype); !reason.empty()) return reason;
  return op.kv_dtype == DType::fp8_e4m3 ? "" : why_not_wide(op.kv_dtype);
}

}  // namespace

void add_kv_cache_write_cuda_kernels(KernelRegistry& registry) {
  registry.add(Kernel<KvCacheWrite, CudaDevice>{
      "reference", "cuda", &why_not, [](const KvCacheWrite& op, CudaDevice& device) {
        return with_wide_element(op.dtype, [&]<class From>(From) {
          return with_element(op.kv_dtype, [&]<class To>(To) {
            return block_kernel_of(device.runtime(), WriteOperands<From, To>(op));
          });
        });
      }});
}

}  // namespace perfatlas
