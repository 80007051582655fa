// SPDX-License-Identifier: Apache-2.0
// FlashInfer's absorbed latent attention for Hopper.
#pragma once

#include <flashinfer/math.cuh>
// Order matters: the others use math.cuh without including it.
#include <flashinfer/attention/mask.cuh>
#include <flashinfer/attention/mla_hopper.cuh>

#include "perfatlas/ops/mla/mla_cuda_flashinfer_decode.cuh"

namespace perfatlas {

struct MlaDecodeSm90Kernel {
  template <class Params>
  static cudaError_t enqueue(const Params& params, uint32_t x, uint32_t y, cudaStream_t stream) {
    return flashinfer::mla::BatchMLAPageAttentionHopper<flashinfer::MaskMode::kCausal, kMlaLatent, kMlaRope>(
        params, x, y, stream);
  }
};

template <class T, class KV>
std::unique_ptr<MlaAttention> make_flashinfer_mla_decode_sm90(const MlaRequests& requests, Device& device) {
  return std::make_unique<FlashInferMla<MlaDecodeSm90Kernel, T, KV>>(requests, device);
}

}  // namespace perfatlas
