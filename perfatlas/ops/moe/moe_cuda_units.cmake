# SPDX-License-Identifier: Apache-2.0
set(moe_file ops/moe/moe_cuda_cutlass.cuh)
perfatlas_cuda_unit(cutlass_segment_gemm_sm90_bf16 FILE ${moe_file}
  MAKE "make_segment_gemm<bf16_t, bf16_t>" ONLY 90a CORE)
perfatlas_cuda_unit(cutlass_segment_gemm_sm90_f16 FILE ${moe_file} MAKE "make_segment_gemm<f16_t, f16_t>" ONLY 90a)
perfatlas_cuda_unit(cutlass_segment_gemm_sm90_fp8 FILE ${moe_file} MAKE "make_segment_gemm<fp8_t, bf16_t>" ONLY 90a)
perfatlas_cuda_unit(cutlass_segment_gemm_sm90_fp8_block FILE ops/moe/moe_cuda_cutlass_blocks.cuh
  MAKE make_block_scaled_segment_gemm ONLY 90a)
