# SPDX-License-Identifier: Apache-2.0
set(mla_fa2 ops/mla/mla_cuda_flashinfer_fa2.cuh)
set(mla_sm90 ops/mla/mla_cuda_flashinfer_sm90.cuh)
perfatlas_cuda_unit(flashinfer_mla_prefill_bf16 FILE ${mla_fa2} MAKE make_flashinfer_mla_prefill<bf16_t> CORE)
perfatlas_cuda_unit(flashinfer_mla_prefill_sm90_bf16 FILE ops/mla/mla_cuda_flashinfer_fa3.cuh
  MAKE make_flashinfer_mla_prefill_sm90<bf16_t> ONLY 90a CORE)
# Of dense and of sparse attention.
foreach(cache bf16 fp8)
  set(core "")
  if(cache STREQUAL "bf16")
    set(core CORE)
  endif()
  perfatlas_cuda_unit(flashinfer_mla_decode_bf16_${cache} FILE ${mla_fa2}
    MAKE "make_flashinfer_mla_decode<bf16_t, ${cache}_t>" ${core})
  perfatlas_cuda_unit(flashinfer_mla_decode_sm90_bf16_${cache} FILE ${mla_sm90}
    MAKE "make_flashinfer_mla_decode_sm90<bf16_t, ${cache}_t>" ONLY 90a ${core})
endforeach()
