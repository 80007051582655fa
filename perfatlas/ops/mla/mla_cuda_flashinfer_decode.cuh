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
template <class Kernel, class T>
class FlashInferMla final : public MlaAttention {
 public:
  FlashInferMla(const AttentionShape& shape, Device& device) : shape_(shape), tables_(device) {
    check_flashinfer("FlashInfer MLAPlan", [&] { return plan(device); });
    tables_.planned(device);
  }

  /// Partial results that its blocks merge: offsets are known after planning, their end is not; this much is what the
  /// plan was allowed to use.
  size_t workspace_bytes() const override { return kPartialBytes; }

  void launch(const MlaBuffers& buffers, Stream stream) override {
    flashinfer::MLAParams<T, T, T, int32_t> params{};
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
    params.ckv = static_cast<T*>(buffers.cache);
    params.kpe = params.ckv + kMlaLatent;
    params.kv_indices = buffers.page_table;
    params.final_o = static_cast<T*>(buffers.out);
    params.partial_o = reinterpret_cast<T*>(static_cast<char*>(buffers.workspace) + plan_.partial_o_offset);
    params.partial_lse =
        reinterpret_cast<float*>(static_cast<char*>(buffers.workspace) + plan_.partial_lse_offset);
    params.num_heads = flashinfer::uint_fastdiv(uint32_t(shape_.heads));
    params.block_size = flashinfer::uint_fastdiv(uint32_t(kPageTokens));
    params.q_nope_stride_h = params.q_pe_stride_h = uint32_t(kMlaCached);
    params.q_nope_stride_n = params.q_pe_stride_n = uint32_t(shape_.heads * kMlaCached);
    params.ckv_stride_n = params.kpe_stride_n = uint32_t(kMlaCached);
    params.ckv_stride_page = params.kpe_stride_page = uint32_t(kPageTokens * kMlaCached);
    params.o_stride_h = uint32_t(kMlaLatent);
    params.o_stride_n = uint32_t(shape_.heads * kMlaLatent);
    params.sm_scale = float(shape_.score_scale());
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

  cudaError_t plan(Device& device) {
    std::vector<int32_t> queries = equal_pieces(shape_.batch, shape_.isl),
                         pages = equal_pieces(shape_.batch, shape_.pages_per_sequence()),
                         lengths(size_t(shape_.batch), int32_t(shape_.context_tokens()));
    size_t table_bytes = 0;
    // Only offsets are taken from the workspace, which is not allocated yet.
    return flashinfer::MLAPlan<int32_t>(
        tables_.device(), kPartialBytes, tables_.device(), tables_.host(), kPlanTableBytes, plan_,
        table_bytes, queries.data(), pages.data(), lengths.data(), uint32_t(shape_.batch),
        uint32_t(shape_.heads), uint32_t(kMlaLatent), true, static_cast<cudaStream_t>(device.stream()));
  }

  AttentionShape shape_;
  FlashInferTables tables_;
  flashinfer::MLAPlanInfo plan_;
};

}  // namespace perfatlas
