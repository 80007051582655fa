// SPDX-License-Identifier: Apache-2.0
// What FlashInfer's FlashAttention-3 kernels for Hopper have in common, over pages or over rows in order: the plan,
// which gives every multiprocessor its tiles. Included before other headers of FlashInfer, since parameters of other
// kernels have the same names.
#pragma once

#include <flashinfer/math.cuh>
// Order matters: the others use math.cuh without including it.
#include <flashinfer/attention/hopper/default_params.cuh>
#include <flashinfer/attention/hopper/prefill_sm90.cuh>
#include <flashinfer/attention/hopper/variants.cuh>
#include <flashinfer/attention/mask.cuh>
#include <flashinfer/attention/scheduler.cuh>
#include <flashinfer/cutlass_utils.cuh>

#include "perfatlas/backends/cuda/flashinfer_plan.cuh"

namespace perfatlas {

/// Sequences of equal length.
struct Sm90PlanShape {
  int64_t batch = 1;
  int64_t queries = 1;  // new tokens per sequence
  int64_t keys = 1;     // tokens per sequence, the new ones among them
  int64_t piece = 1;    // keys of a page; 1 where there are none
  int64_t heads = 1, kv_heads = 1;
  int64_t key_dim = 1, value_dim = 1;
  size_t element_bytes = 2;
};

class FlashInferSm90Plan {
 public:
  /// Throws Error.
  FlashInferSm90Plan(const Sm90PlanShape& shape, Device& device) : shape_(shape), tables_(device) {
    check_flashinfer("FlashInfer PrefillSM90Plan", [&] { return plan(device); });
    tables_.planned(device);
  }

  /// enqueue(same): `same` is a constant, whether all heads share a schedule.
  template <class Enqueue>
  void launch(const Enqueue& enqueue) const {
    check_flashinfer("FlashInfer prefill for SM 9.0", [&] {
      return plan_.same_schedule_for_all_heads ? enqueue(std::true_type()) : enqueue(std::false_type());
    });
  }

  /// Which tiles there are, of how many tokens and heads; causal.
  template <class Params>
  void describe(Params& params) const {
    params.nnz_qo = shape_.batch * shape_.queries;
    params.num_qo_heads = int(shape_.heads);
    params.num_kv_heads = int(shape_.kv_heads);
    params.group_size = int(shape_.heads / shape_.kv_heads);
    params.causal = true;
    params.qo_tile_indices = tables_.at<int32_t>(plan_.qo_tile_indices_offset);
    params.qo_indptr = tables_.at<int32_t>(plan_.qo_indptr_offset);
    params.kv_indptr = tables_.at<int32_t>(plan_.kv_indptr_offset);
    params.qo_lens = tables_.at<int32_t>(plan_.qo_len_offset);
    params.kv_lens = tables_.at<int32_t>(plan_.kv_len_offset);
    params.head_indices = tables_.at<int32_t>(plan_.head_indices_offset);
    params.work_indptr = tables_.at<int32_t>(plan_.work_indptr_offset);
    params.batch_indices = tables_.at<int32_t>(plan_.batch_indices_offset);
  }

 private:
  cudaError_t plan(Device& device) {
    const int64_t pieces = (shape_.keys + shape_.piece - 1) / shape_.piece;
    std::vector<int32_t> queries = equal_pieces(shape_.batch, shape_.queries),
                         keys = equal_pieces(shape_.batch, pieces),
                         lengths(size_t(shape_.batch), int32_t(shape_.keys));
    return flashinfer::PrefillSM90Plan<int32_t>(
        nullptr, 0, tables_.device(), tables_.host(), kPlanTableBytes, plan_, queries.data(), keys.data(),
        lengths.data(), uint32_t(shape_.batch * shape_.queries), uint32_t(shape_.batch),
        uint32_t(shape_.heads), uint32_t(shape_.kv_heads), uint32_t(shape_.key_dim),
        uint32_t(shape_.value_dim), uint32_t(shape_.piece), true, false, uint32_t(shape_.element_bytes),
        static_cast<cudaStream_t>(device.stream()));
  }

  Sm90PlanShape shape_;
  FlashInferTables tables_;
  flashinfer::PrefillPlanSM90Info plan_;
};

/// The default variant: softmax without soft caps.
using FlashInferSm90Variant = flashinfer::DefaultAttention</*use_logits_soft_cap=*/false>;

}  // namespace perfatlas
