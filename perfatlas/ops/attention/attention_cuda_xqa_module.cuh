// SPDX-License-Identifier: Apache-2.0
// The body of a module (attention_cuda_xqa_module.h), included by its generated source alone, which sets the macros
// that FlashInfer's build sets: HEAD_ELEMS, HEAD_GRP_SIZE, CACHE_ELEM_ENUM (0: as queries, 2: fp8 e4m3), INPUT_FP16.
#pragma once

#define BEAM_WIDTH 1
#define USE_INPUT_KV 0
#define USE_CUSTOM_BARRIER 1
#define TOKENS_PER_PAGE 64
#define SLIDING_WINDOW 0
#define LOW_PREC_OUTPUT 0
#define SPEC_DEC 0

// The driver is not linked: its functions are looked up when they are called, behind a device that works.
#include <cuda.h>
#include <cuda_runtime_api.h>

namespace perfatlas {

template <class Function>
Function* driver_function(const char* name) {
  constexpr unsigned kCudaVersion = 12000;  // of the newest function that is asked for
  void* found = nullptr;
  cudaDriverEntryPointQueryResult result{};
  if (cudaGetDriverEntryPointByVersion(name, &found, kCudaVersion, cudaEnableDefault, &result) != cudaSuccess)
    found = nullptr;
  return reinterpret_cast<Function*>(found);
}

}  // namespace perfatlas

#define cuTensorMapEncodeTiled \
  ::perfatlas::driver_function<decltype(::cuTensorMapEncodeTiled)>("cuTensorMapEncodeTiled")
#define cuGetErrorName ::perfatlas::driver_function<decltype(::cuGetErrorName)>("cuGetErrorName")
// fp8 has a kernel of its own on Hopper, as in FlashInfer's front end.
#if CACHE_ELEM_ENUM == 2
#include <xqa/mha_sm90.cu>
#include <xqa/tensorMap.cpp>
#else
#include <xqa/mha.cu>
#endif
#undef cuTensorMapEncodeTiled
#undef cuGetErrorName

#include "perfatlas/ops/attention/attention_cuda_xqa_module.h"

namespace perfatlas {

inline uint32_t multiprocessors() {
  int device = 0, count = 0;
  checkCuda(cudaGetDevice(&device));
  checkCuda(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device));
  return uint32_t(count);
}

inline void enqueue_xqa(const XqaLaunch& l) {
#if CACHE_ELEM_ENUM == 2
  constexpr auto launch = &launchHopperF8MHAFlashInfer;
#else
  constexpr auto launch = &launchMHAFlashInfer;
#endif
  constexpr uint64_t kHead = uint64_t(TOKENS_PER_PAGE) * HEAD_ELEMS;
  launch(multiprocessors(), l.kv_heads, /*slidingWinSize=*/0, l.query_scale, nullptr,
         static_cast<OutputHead*>(l.out), static_cast<const InputHead*>(l.q), /*attentionSinks=*/nullptr,
         static_cast<GMemCacheHead*>(l.k_cache), static_cast<GMemCacheHead*>(l.v_cache), l.page_table,
         l.pages_per_sequence * TOKENS_PER_PAGE, l.tokens, l.batch, /*kvCacheScale=*/1.0F, nullptr,
         l.semaphores, l.scratch, /*enable_pdl=*/false, kHead * l.kv_heads, HEAD_ELEMS, kHead,
         static_cast<cudaStream_t>(l.stream));
}

}  // namespace perfatlas

extern "C" __attribute__((visibility("default"))) const char* perfatlas_xqa_version() {
  return PERFATLAS_XQA_INTERFACE "/" PERFATLAS_FLASHINFER;
}

extern "C" __attribute__((visibility("default"))) int perfatlas_xqa_launch(
    const perfatlas::XqaLaunch& launch) {
  try {
    perfatlas::enqueue_xqa(launch);
    return cudaSuccess;
  } catch (const std::exception&) {
    const cudaError_t code = cudaGetLastError();
    return code == cudaSuccess ? cudaErrorUnknown : code;
  }
}
