# SPDX-License-Identifier: Apache-2.0
perfatlas_cuda_unit(flashinfer_ragged_top_k_f32 FILE backends/cuda/flashinfer_topk.cuh
  MAKE launch_flashinfer_ragged_top_k)
