// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/collective/collective_mpi_sum.h"

#include <immintrin.h>

#include <bit>
#include <cstdint>

namespace perfatlas {
namespace {

__attribute__((target("avx2,f16c"))) void add_half_f16c(const uint16_t* in, uint16_t* in_out, int count) {
  int i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256 a = _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i)));
    const __m256 b = _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in_out + i)));
    const __m128i sum = _mm256_cvtps_ph(_mm256_add_ps(a, b), _MM_FROUND_TO_NEAREST_INT);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(in_out + i), sum);
  }
  for (; i < count; ++i)
    in_out[i] = _cvtss_sh(_cvtsh_ss(in[i]) + _cvtsh_ss(in_out[i]), _MM_FROUND_TO_NEAREST_INT);
}

/// For CPUs before 2013.
void add_half_portable(const uint16_t* in, uint16_t* in_out, int count) {
  for (int i = 0; i < count; ++i) {
    const float sum = float(std::bit_cast<_Float16>(in[i])) + float(std::bit_cast<_Float16>(in_out[i]));
    in_out[i] = std::bit_cast<uint16_t>(_Float16(sum));
  }
}

float widened(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }

/// To nearest even; a NaN stays one.
uint16_t rounded(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return uint16_t(bits >> 16 | 0x40);
  return uint16_t((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

}  // namespace

void add_half(void* in, void* in_out, int* count, MPI_Datatype*) {
  static const auto add =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c") ? &add_half_f16c : &add_half_portable;
  add(static_cast<const uint16_t*>(in), static_cast<uint16_t*>(in_out), *count);
}

void add_bfloat16(void* in, void* in_out, int* count, MPI_Datatype*) {
  const auto* from = static_cast<const uint16_t*>(in);
  auto* to = static_cast<uint16_t*>(in_out);
  for (int i = 0; i < *count; ++i) to[i] = rounded(widened(from[i]) + widened(to[i]));
}

void add_int8(void* in, void* in_out, int* count, MPI_Datatype*) {
  const auto* from = static_cast<const uint8_t*>(in);  // unsigned: wraps by definition
  auto* to = static_cast<uint8_t*>(in_out);
  for (int i = 0; i < *count; ++i) to[i] = uint8_t(to[i] + from[i]);
}

}  // namespace perfatlas
