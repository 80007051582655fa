# SPDX-License-Identifier: Apache-2.0
# Where every part has the tensor memory accelerator, the kernels that use it are compiled, too.
set(mamba2_before "#define FLASHINFER_MAMBA_ENABLE_SM90 1")
foreach(architecture IN LISTS CMAKE_CUDA_ARCHITECTURES)
  string(REGEX MATCH "^[0-9]+" capability "${architecture}")
  if(capability LESS 90)
    set(mamba2_before "")
  endif()
endforeach()
foreach(shape 64_128 64_64)
  string(REPLACE _ ";" sizes ${shape})
  list(GET sizes 0 head_dim)
  list(GET sizes 1 d_state)
  set(core "")
  if(shape STREQUAL 64_128)
    set(core CORE)
  endif()
  perfatlas_cuda_unit(flashinfer_state_update_${shape} FILE ops/mamba2/mamba2_cuda_flashinfer.cuh
    MAKE launch_state_update ${core}
    BEFORE "${mamba2_before}\n#define PERFATLAS_HEAD_DIM ${head_dim}\n#define PERFATLAS_D_STATE ${d_state}")
endforeach()
