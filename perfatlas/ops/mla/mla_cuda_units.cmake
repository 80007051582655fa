# SPDX-License-Identifier: Apache-2.0
set(mla_fa2 ops/mla/mla_cuda_flashinfer_fa2.cuh)
perfatlas_cuda_unit(flashinfer_mla_prefill_bf16 FILE ${mla_fa2} MAKE make_flashinfer_mla_prefill<bf16_t> CORE)
perfatlas_cuda_unit(flashinfer_mla_decode_bf16 FILE ${mla_fa2} MAKE make_flashinfer_mla_decode<bf16_t> CORE)
perfatlas_cuda_unit(flashinfer_mla_decode_sm90_bf16 FILE ops/mla/mla_cuda_flashinfer_sm90.cuh
  MAKE make_flashinfer_mla_decode_sm90<bf16_t> ONLY 90a CORE)
perfatlas_cuda_unit(flashinfer_mla_prefill_sm90_bf16 FILE ops/mla/mla_cuda_flashinfer_fa3.cuh
  MAKE make_flashinfer_mla_prefill_sm90<bf16_t> ONLY 90a CORE)
