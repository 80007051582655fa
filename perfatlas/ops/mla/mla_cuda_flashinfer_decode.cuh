// SPDX-License-Identifier: Apache-2.0
// FlashInfer's absorbed latent attention over a paged cache: what its general and its Hopper kernel have in common.
#pragma once

#include <flashinfer/math.cuh>
// Order matters: the others use math.cuh without including it.
#include <flashinfer/attention/scheduler.cuh>
#include <flashinfer/fastdiv.cuh>
#include <flashinfer/page.cuh>

#include "perfatlas/backends/cuda/flashinfer_plan.cuh"
#include "perfatlas/ops/mla/mla_cuda_unit.h"
#include "perfatlas/ops/mla/mla_geometry.h"

namespace perfatlas {

/// `Kernel::enqueue(params, blocks_x, blocks_y, stream)` launches one of FlashInfer's two.
template <class Kernel, class T, class KV>
class FlashInferMla final : public MlaAttention {
 public:
  FlashInferMla(const MlaRequests& requests, Device& device)
      : heads_(requests.heads),
        page_tokens_(requests.page_tokens),
        scale_(float(requests.scale)),
        tables_(device) {
    check_flashinfer("FlashInfer MLAPlan", [&] { return plan(requests, device); });
    tables_.planned(device);
  }

  /// Partial results that its blocks merge: offsets are known after planning, their end is not; this much is what the
  /// plan was allowed to use.
  size_t workspace_bytes() const override { return kPartialBytes; }

  void launch(const MlaBuffers& buffers, Stream stream) override {
    flashinfer::MLAParams<T, KV, T, int32_t> params{};
    describe(params, buffers);
    check_flashinfer("FlashInfer MLA", [&] {
      return Kernel::enqueue(params, uint32_t(plan_.num_blks_x), uint32_t(plan_.num_blks_y),
                             static_cast<cudaStream_t>(stream));
    });
  }

 private:
  /// FlashInfer's Python front end hands its planner 128 MiB.
  static constexpr size_t kPartialBytes = size_t(128) << 20;

  template <class Params>
  void describe(Params& params, const MlaBuffers& buffers) const {
    params.q_nope = static_cast<T*>(buffers.q);
    params.q_pe = params.q_nope + kMlaLatent;
    params.ckv = static_cast<KV*>(buffers.cache);
    params.kpe = params.ckv + kMlaLatent;
    params.kv_indices = buffers.pages;
    params.final_o = static_cast<T*>(buffers.out);
    params.partial_o = reinterpret_cast<T*>(static_cast<char*>(buffers.workspace) + plan_.partial_o_offset);
    params.partial_lse =
        reinterpret_cast<float*>(static_cast<char*>(buffers.workspace) + plan_.partial_lse_offset);
    params.num_heads = flashinfer::uint_fastdiv(uint32_t(heads_));
    params.block_size = flashinfer::uint_fastdiv(uint32_t(page_tokens_));
    params.q_nope_stride_h = params.q_pe_stride_h = uint32_t(kMlaCached);
    params.q_nope_stride_n = params.q_pe_stride_n = uint32_t(heads_ * kMlaCached);
    params.ckv_stride_n = params.kpe_stride_n = uint32_t(kMlaCached);
    params.ckv_stride_page = params.kpe_stride_page = uint32_t(page_tokens_ * kMlaCached);
    params.o_stride_h = uint32_t(kMlaLatent);
    params.o_stride_n = uint32_t(heads_ * kMlaLatent);
    params.sm_scale = scale_;
    params.q_indptr = tables_.template at<int32_t>(plan_.q_indptr_offset);
    params.kv_indptr = tables_.template at<int32_t>(plan_.kv_indptr_offset);
    params.partial_indptr = tables_.template at<int32_t>(plan_.partial_indptr_offset);
    params.q_len = tables_.template at<int32_t>(plan_.q_len_offset);
    params.kv_len = tables_.template at<int32_t>(plan_.kv_len_offset);
    params.q_start = tables_.template at<int32_t>(plan_.q_start_offset);
    params.kv_start = tables_.template at<int32_t>(plan_.kv_start_offset);
    params.kv_end = tables_.template at<int32_t>(plan_.kv_end_offset);
    params.work_indptr = tables_.template at<int32_t>(plan_.work_indptr_offset);
    params.merge_packed_offset_start = tables_.template at<int32_t>(plan_.merge_packed_offset_start_offset);
    params.merge_packed_offset_end = tables_.template at<int32_t>(plan_.merge_packed_offset_end_offset);
    params.merge_partial_packed_offset_start =
        tables_.template at<int32_t>(plan_.merge_partial_packed_offset_start_offset);
    params.merge_partial_packed_offset_end =
        tables_.template at<int32_t>(plan_.merge_partial_packed_offset_end_offset);
    params.merge_partial_stride = tables_.template at<int32_t>(plan_.merge_partial_stride_offset);
  }

  cudaError_t plan(const MlaRequests& requests, Device& device) {
    const auto count = int64_t(requests.lengths.size());
    std::vector<int32_t> queries = equal_pieces(count, 1),
                         pages = equal_pieces(count, requests.pages_per_request), lengths = requests.lengths;
    size_t table_bytes = 0;
    // Only offsets are taken from the workspace, which is not allocated yet.
    const cudaError_t planned = flashinfer::MLAPlan<int32_t>(
        tables_.device(), kPartialBytes, tables_.device(), tables_.host(), kPlanTableBytes, plan_,
        table_bytes, queries.data(), pages.data(), lengths.data(), uint32_t(count), uint32_t(heads_),
        uint32_t(kMlaLatent), true, static_cast<cudaStream_t>(device.stream()));
    // Other than the planners of prefill, this one leaves the copy to its caller.
    if (planned == cudaSuccess) device.copy_in(tables_.device(), tables_.host(), table_bytes);
    return planned;
  }

  int64_t heads_, page_tokens_;
  float scale_;
  FlashInferTables tables_;
  flashinfer::MLAPlanInfo plan_;
};

}  // namespace perfatlas
