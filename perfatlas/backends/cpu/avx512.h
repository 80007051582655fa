// SPDX-License-Identifier: Apache-2.0
#pragma once

// GCC 12 takes the deliberately undefined registers of its own intrinsics for mistakes of the caller.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop

/// Compiles one function for AVX-512 with its bf16 extension, whatever the rest is compiled for. Its caller has asked
/// CpuIsa whether the CPU can execute it (a function that uses no bf16 instruction runs with CpuIsa::avx512 alone).
#define PERFATLAS_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma")))
