// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "perfatlas/backends/cuda/block_kernel.cuh"
#include "perfatlas/backends/cuda/cuda_units.h"
#include "perfatlas/ops/dsa/dsa_cuda_flashinfer.h"
#include "perfatlas/ops/mla/mla_geometry.h"

namespace perfatlas {
namespace {

/// Where each selected token lies in the cache, counted in tokens. A block per new token. Behind the last selected one
/// stands 0, which nothing reads.
struct PlaceSelection {
  int64_t tokens = 0, isl = 0, topk = 0, pages_per_sequence = 0;
  const int32_t* page_table = nullptr;
  const int32_t* selected = nullptr;
  int32_t* places = nullptr;

  int64_t blocks() const { return tokens; }
  int64_t shared_floats() const { return 0; }
  PERFATLAS_BOTH void operator()(const Block& block) const {
    const int32_t* const positions = selected + block.index() * topk;
    const int32_t* const pages = page_table + block.index() / isl * pages_per_sequence;
    int32_t* const to = places + block.index() * topk;
    block.each(topk, [&](int64_t i) {
      const int64_t position = positions[i];
      to[i] =
          position < 0 ? 0 : int32_t(pages[position / kPageTokens] * kPageTokens + position % kPageTokens);
    });
  }
};

MlaRequests requests_of(const DsaAttention& op) {
  const DsaShape s = op.shape();
  MlaRequests requests{.heads = op.heads,
                       .page_tokens = 1,
                       .pages_per_request = s.geometry.topk,
                       .scale = 1 / std::sqrt(double(s.geometry.head()))};
  for (int64_t token = 0; token < s.tokens(); ++token)
    requests.lengths.push_back(int32_t(s.selected(token % s.isl)));
  return requests;
}

class SparseMla final : public PreparedKernel {
 public:
  SparseMla(const DsaAttention& op, CudaDevice& device, MakeMlaDecode* make)
      : runtime_(device.runtime()), attention_(make(requests_of(op), device)) {
    const DsaShape s = op.shape();
    place_ = {.tokens = s.tokens(),
              .isl = s.isl,
              .topk = s.geometry.topk,
              .pages_per_sequence = s.pages_per_sequence()};
  }

  size_t workspace_bytes() const override {
    return places_offset() + size_t(place_.tokens * place_.topk) * sizeof(int32_t);
  }
  void launch(Stream stream, std::span<void* const> operands, void* workspace) override {
    place_.page_table = static_cast<const int32_t*>(operands[dsa_page_table_at]);
    place_.selected = static_cast<const int32_t*>(operands[dsa_selected_at]);
    place_.places = reinterpret_cast<int32_t*>(static_cast<char*>(workspace) + places_offset());
    runtime_.run(block_work(place_), stream);
    attention_->launch({.q = operands[dsa_q_at],
                        .cache = operands[dsa_cache_at],
                        .pages = place_.places,
                        .out = operands[dsa_out_at],
                        .workspace = workspace},
                       stream);
  }

 private:
  /// Behind what the attention needs, at a place where any table may begin.
  size_t places_offset() const { return (attention_->workspace_bytes() + 255) / 256 * 256; }

  CudaRuntime& runtime_;
  std::unique_ptr<MlaAttention> attention_;
  PlaceSelection place_;
};

template <bool for_hopper>
std::string why_no_unit_of(const DsaAttention& op, const CudaDevice& device) {
  const std::string reason = why_no_sparse_mla(op);
  return reason.empty() ? why_no_mla_decode_unit(for_hopper, op.dtype, op.kv_dtype, device) : reason;
}

template <bool for_hopper>
std::unique_ptr<PreparedKernel> prepare_unit(const DsaAttention& op, CudaDevice& device) {
  return make_sparse_mla(op, device,
                         cuda_unit<MakeMlaDecode>(mla_decode_unit(for_hopper, op.dtype, op.kv_dtype)));
}

}  // namespace

std::unique_ptr<PreparedKernel> make_sparse_mla(const DsaAttention& op, CudaDevice& device,
                                                MakeMlaDecode* make) {
  return std::make_unique<SparseMla>(op, device, make);
}

std::string why_no_sparse_mla(const DsaAttention& op) {
  const DsaShape s = op.shape();
  if (s.geometry.kv_lora != kMlaLatent || s.geometry.rope != kMlaRope)
    return fmt::format("FlashInfer attends to {} + {} elements per token, {} has {} + {}", kMlaLatent,
                       kMlaRope, op.architecture.text(), s.geometry.kv_lora, s.geometry.rope);
  if (s.pages() * kPageTokens > INT32_MAX) return "FlashInfer counts the tokens of a cache in 31 bits";
  return why_no_mla_requests(s.tokens(), op.heads);
}

void add_flashinfer_sparse_mla(KernelRegistry& registry) {
  registry.add(Kernel<DsaAttention, CudaDevice>{"flashinfer_sparse_mla_sm90", "cuda", &why_no_unit_of<true>,
                                                &prepare_unit<true>});
  registry.add(Kernel<DsaAttention, CudaDevice>{"flashinfer_sparse_mla_fa2", "cuda", &why_no_unit_of<false>,
                                                &prepare_unit<false>});
}

}  // namespace perfatlas
