# SPDX-License-Identifier: Apache-2.0
foreach(type bf16 f16)
  perfatlas_cuda_unit(flashinfer_rms_norm_${type} FILE ops/rms_norm/rms_norm_cuda_flashinfer.cuh
    MAKE launch_flashinfer_rms_norm<${type}_t> CORE)
endforeach()
