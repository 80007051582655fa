// SPDX-License-Identifier: Apache-2.0
// What FlashInfer's FlashAttention-2 prefill kernels have in common, over pages or over rows in order: the plan, and
// what a launch takes from it.
#pragma once

#include <flashinfer/math.cuh>
// Order matters: the others use math.cuh without including it.
#include <flashinfer/attention/scheduler.cuh>
#include <type_traits>

#include "perfatlas/backends/cuda/flashinfer_plan.cuh"

namespace perfatlas {

/// Sequences of equal length.
struct PrefillPlanShape {
  int64_t batch = 1;
  int64_t queries = 1;  // new tokens per sequence
  int64_t pieces = 1;   // of keys per sequence: pages, or tokens where there are none
  int64_t piece = 1;    // tokens of one
  int64_t heads = 1, kv_heads = 1;
  int64_t key_dim = 1, value_dim = 1;
  int32_t window = -1;                    // visible tokens before a token's own; -1: all
  size_t query_bytes = 2, key_bytes = 2;  // of an element
};

class FlashInferPrefillPlan {
 public:
  /// Throws Error.
  FlashInferPrefillPlan(const PrefillPlanShape& shape, Device& device)
      : shape_(shape),
        tables_(device),
        query_bounds_(integers_on_device(device, equal_pieces(shape.batch, shape.queries))) {
    check_flashinfer("FlashInfer PrefillPlan", [&] { return plan(device); });
    tables_.planned(device);
  }

  size_t workspace_bytes() const { return workspace_bytes_; }

  /// Everything that the plan says but where partial results lie.
  template <class Params>
  void describe(Params& params) const {
    params.q_indptr = static_cast<int32_t*>(query_bounds_.get());
    params.window_left = shape_.window;
    params.request_indices = tables_.at<int32_t>(plan_.request_indices_offset);
    params.qo_tile_indices = tables_.at<int32_t>(plan_.qo_tile_indices_offset);
    params.kv_tile_indices = tables_.at<int32_t>(plan_.kv_tile_indices_offset);
    params.o_indptr = tables_.at<int32_t>(plan_.o_indptr_offset);
    params.kv_chunk_size_ptr = tables_.at<int32_t>(plan_.kv_chunk_size_ptr_offset);
    params.padded_batch_size = uint32_t(plan_.padded_batch_size);
    params.max_total_num_rows = uint32_t(plan_.total_num_rows);
  }

  /// Calls enqueue(tile, partial, scores): `tile` is a constant, the rows of a tile; the others are null when keys are
  /// not split among blocks.
  template <class Out, class Params, class Enqueue>
  cudaError_t launch(Params& params, void* workspace, const Enqueue& enqueue) const {
    Out* partial = nullptr;
    float* scores = nullptr;
    if (plan_.split_kv) {
      params.merge_indptr = tables_.at<int32_t>(plan_.merge_indptr_offset);
      partial = reinterpret_cast<Out*>(static_cast<char*>(workspace) + plan_.v_offset);
      scores = reinterpret_cast<float*>(static_cast<char*>(workspace) + plan_.s_offset);
    }
    switch (plan_.cta_tile_q) {  // the three that the planner chooses from for these head sizes
      case 16:
        return enqueue(std::integral_constant<uint32_t, 16>(), partial, scores);
      case 64:
        return enqueue(std::integral_constant<uint32_t, 64>(), partial, scores);
      case 128:
        return enqueue(std::integral_constant<uint32_t, 128>(), partial, scores);
      default:
        return cudaErrorNotSupported;
    }
  }

 private:
  cudaError_t plan(Device& device) {
    std::vector<int32_t> queries = equal_pieces(shape_.batch, shape_.queries),
                         keys = equal_pieces(shape_.batch, shape_.pieces);
    const auto stream = static_cast<cudaStream_t>(device.stream());
    const auto rows = uint32_t(shape_.batch * shape_.queries), batch = uint32_t(shape_.batch);
    const auto heads = uint32_t(shape_.heads), kv_heads = uint32_t(shape_.kv_heads);
    const auto key_dim = uint32_t(shape_.key_dim), value_dim = uint32_t(shape_.value_dim);
    size_t table_bytes = 0;
    const cudaError_t sized = flashinfer::PrefillPlanWorkspaceSize<int32_t>(
        workspace_bytes_, table_bytes, queries.data(), keys.data(), rows, batch, heads, kv_heads, key_dim,
        value_dim, uint32_t(shape_.piece), false, shape_.query_bytes, shape_.window, -1, false, 0, 0, stream,
        shape_.key_bytes);
    if (sized != cudaSuccess) return sized;
    // Only offsets are taken from the workspace, which is not allocated yet.
    return flashinfer::PrefillPlan<int32_t>(
        tables_.device(), workspace_bytes_, tables_.device(), tables_.host(), kPlanTableBytes, plan_,
        queries.data(), keys.data(), rows, batch, heads, kv_heads, key_dim, value_dim, uint32_t(shape_.piece),
        false, shape_.query_bytes, shape_.window, -1, false, 0, 0, stream, shape_.key_bytes);
  }

  PrefillPlanShape shape_;
  FlashInferTables tables_;
  std::shared_ptr<void> query_bounds_;
  flashinfer::PrefillPlanInfo plan_;
  size_t workspace_bytes_ = 0;
};

}  // namespace perfatlas
