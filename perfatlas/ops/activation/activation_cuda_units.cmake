# SPDX-License-Identifier: Apache-2.0
set(activation_file ops/activation/activation_cuda_flashinfer.cuh)
perfatlas_cuda_unit(flashinfer_activation_bf16 FILE ${activation_file} MAKE launch_flashinfer_activation<bf16_t> CORE)
perfatlas_cuda_unit(flashinfer_activation_f16 FILE ${activation_file} MAKE launch_flashinfer_activation<f16_t>)
