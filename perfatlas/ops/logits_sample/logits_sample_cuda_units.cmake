# SPDX-License-Identifier: Apache-2.0
set(topk_file backends/cuda/flashinfer_topk.cuh)
perfatlas_cuda_unit(flashinfer_top_k_f32 FILE ${topk_file} MAKE launch_flashinfer_top_k<float> CORE)
perfatlas_cuda_unit(flashinfer_top_k_bf16 FILE ${topk_file} MAKE launch_flashinfer_top_k<bf16_t>)
perfatlas_cuda_unit(flashinfer_top_k_f16 FILE ${topk_file} MAKE launch_flashinfer_top_k<f16_t>)
