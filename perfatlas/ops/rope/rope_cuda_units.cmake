# SPDX-License-Identifier: Apache-2.0
set(rope_file ops/rope/rope_cuda_flashinfer.cuh)
perfatlas_cuda_unit(flashinfer_rope_bf16 FILE ${rope_file} MAKE launch_flashinfer_rope<bf16_t> CORE)
perfatlas_cuda_unit(flashinfer_rope_f16 FILE ${rope_file} MAKE launch_flashinfer_rope<f16_t>)
