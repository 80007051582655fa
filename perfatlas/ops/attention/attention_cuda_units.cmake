# SPDX-License-Identifier: Apache-2.0
# Head sizes and types of the models: 128 nearly everywhere, 64 gpt-oss, 256 Gemma and Qwen3.5.
set(attention_fa2 ops/attention/attention_cuda_flashinfer.cuh)
set(attention_fa3 ops/attention/attention_cuda_flashinfer_sm90.cuh)
foreach(types "bf16;bf16" "bf16;fp8" "f16;f16")
  list(JOIN types "_" suffix)
  list(TRANSFORM types APPEND "_t" OUTPUT_VARIABLE arguments)
  list(JOIN arguments ", " arguments)
  foreach(dim 64 128 256)
    set(core "")
    if(suffix STREQUAL "bf16_bf16" AND dim EQUAL 128)
      set(core CORE)
    endif()
    perfatlas_cuda_unit(flashinfer_decode_${suffix}_${dim} FILE ${attention_fa2}
      MAKE "make_flashinfer_decode<${arguments}, ${dim}>" ${core})
    perfatlas_cuda_unit(flashinfer_prefill_${suffix}_${dim} FILE ${attention_fa2}
      MAKE "make_flashinfer_prefill<${arguments}, ${dim}>" ${core})
  endforeach()
endforeach()
perfatlas_cuda_unit(cudnn_attention FILE ops/attention/attention_cuda_cudnn.cuh MAKE make_cudnn_attention
  NEEDS cudnn.h CORE)
perfatlas_cuda_unit(flashinfer_prefill_sm90_bf16_bf16_128 FILE ${attention_fa3}
  MAKE "make_flashinfer_prefill_sm90<bf16_t, 128>" ONLY 90a CORE)
foreach(dim 64 256)
  perfatlas_cuda_unit(flashinfer_prefill_sm90_bf16_bf16_${dim} FILE ${attention_fa3}
    MAKE "make_flashinfer_prefill_sm90<bf16_t, ${dim}>" ONLY 90a)
endforeach()
# XQA, whose sizes are macros: 8 query heads per key/value head (Qwen3-32B, Llama-3.1-70B), 4 (Llama-3.1-8B, Qwen3-8B).
if(EXISTS ${PERFATLAS_CUDA_HEADERS}/flashinfer/csrc/xqa)
  foreach(cache "bf16;0" "fp8;2")
    list(GET cache 0 type)
    list(GET cache 1 number)
    foreach(group 8 4)
      set(options "")
      if(type STREQUAL "fp8")
        list(APPEND options ONLY 90a)
      elseif(group EQUAL 8)
        list(APPEND options CORE)
      endif()
      perfatlas_cuda_module(perfatlas_xqa_bf16_${type}_128_${group} FILE ops/attention/attention_cuda_xqa_module.cuh
        MACROS INPUT_FP16=0 CACHE_ELEM_ENUM=${number} HEAD_ELEMS=128 HEAD_GRP_SIZE=${group} ${options})
    endforeach()
  endforeach()
endif()
