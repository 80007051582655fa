// SPDX-License-Identifier: Apache-2.0
// Selection of the largest scores of a row. The scores' bits, mapped so that their order is that of unsigned numbers,
// are counted 11 bits at a time from the top; each round leaves only the scores that share the threshold's leading
// bits.
#include <omp.h>

#include <algorithm>
#include <bit>

#include "perfatlas/backends/cpu/avx512.h"
#include "perfatlas/ops/dsa/dsa_cpu.h"

namespace perfatlas {
namespace {

constexpr int kBuckets = 2048;

/// Larger for larger scores; equal for both zeros.
inline uint32_t rank_of(float score) {
  const auto bits = std::bit_cast<uint32_t>(score + 0.0F);
  return bits & 0x80000000U ? ~bits : bits | 0x80000000U;
}

/// Of `ranks` ranks the `wanted`-th largest; `bucket` is where it is and `above` how many lie in larger buckets.
struct Bucket {
  uint32_t index;
  int64_t above;
};
Bucket find_bucket(const uint32_t* counts, int64_t wanted) {
  int64_t above = 0;
  for (uint32_t index = kBuckets; index-- > 0;) {
    if (above + int64_t(counts[index]) >= wanted) return {index, above};
    above += int64_t(counts[index]);
  }
  return {0, above};
}

/// What a row's positions are cut off at: ranks above `rank`, and the first `ties` equal to it.
struct Threshold {
  uint32_t rank;
  int64_t ties;
};

/// The two passes over a whole row. Plain loops for any CPU.
struct PortablePasses {
  /// Ranks whose top 11 bits are `bucket`, in order; returns how many.
  static int64_t take_bucket(const float* scores, int64_t count, uint32_t bucket, uint32_t* ranks) {
    int64_t taken = 0;
    for (int64_t i = 0; i < count; ++i) {
      const uint32_t rank = rank_of(scores[i]);
      ranks[taken] = rank;
      taken += rank >> 21 == bucket;
    }
    return taken;
  }
  static void take_positions(const float* scores, int64_t count, Threshold cut, int32_t* positions) {
    for (int64_t i = 0; i < count; ++i) {
      const uint32_t rank = rank_of(scores[i]);
      if (rank < cut.rank || (rank == cut.rank && cut.ties-- <= 0)) continue;
      *positions++ = int32_t(i);
    }
  }
};

struct Avx512Passes {
  PERFATLAS_AVX512 static __m512i ranks_of(const float* scores, __mmask16 lanes) {
    const __m512i bits =
        _mm512_castps_si512(_mm512_add_ps(_mm512_maskz_loadu_ps(lanes, scores), _mm512_setzero_ps()));
    const __m512i flip = _mm512_or_si512(_mm512_srai_epi32(bits, 31), _mm512_set1_epi32(INT32_MIN));
    return _mm512_xor_si512(bits, flip);
  }
  static __mmask16 lanes_of(int64_t left) { return __mmask16(left >= 16 ? 0xFFFF : (1 << left) - 1); }

  PERFATLAS_AVX512 static int64_t take_bucket(const float* scores, int64_t count, uint32_t bucket,
                                              uint32_t* ranks) {
    const __m512i wanted = _mm512_set1_epi32(int(bucket));
    int64_t taken = 0;
    for (int64_t i = 0; i < count; i += 16) {
      const __mmask16 lanes = lanes_of(count - i);
      const __m512i rank = ranks_of(scores + i, lanes);
      const __mmask16 found = _mm512_mask_cmpeq_epi32_mask(lanes, _mm512_srli_epi32(rank, 21), wanted);
      _mm512_mask_compressstoreu_epi32(ranks + taken, found, rank);
      taken += std::popcount(uint32_t(found));
    }
    return taken;
  }
  PERFATLAS_AVX512 static void take_positions(const float* scores, int64_t count, Threshold cut,
                                              int32_t* positions) {
    const __m512i limit = _mm512_set1_epi32(int(cut.rank));
    const __m512i steps = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    for (int64_t i = 0; i < count; i += 16) {
      const __mmask16 lanes = lanes_of(count - i);
      const __m512i rank = ranks_of(scores + i, lanes);
      uint32_t taken = _mm512_mask_cmpgt_epu32_mask(lanes, rank, limit);
      uint32_t equal = _mm512_mask_cmpeq_epi32_mask(lanes, rank, limit);
      for (; equal != 0 && cut.ties > 0; equal &= equal - 1, --cut.ties) taken |= equal & -equal;
      _mm512_mask_compressstoreu_epi32(positions, __mmask16(taken),
                                       _mm512_add_epi32(_mm512_set1_epi32(int(i)), steps));
      positions += std::popcount(taken);
    }
  }
};

template <class Passes>
class RadixSelect final : public PreparedKernel {
 public:
  RadixSelect(const DsaTopk& op, CpuDevice& device)
      : s_(op.shape()), threads_(int(std::min<int64_t>(device.threads(), s_.tokens()))) {}

  size_t workspace_bytes() const override { return size_t(threads_) * thread_words() * sizeof(uint32_t); }

  void launch(Stream, std::span<void* const> operands, void* workspace) override {
#pragma omp parallel num_threads(threads_)
    {
      uint32_t* const own = static_cast<uint32_t*>(workspace) + size_t(omp_get_thread_num()) * thread_words();
#pragma omp for schedule(dynamic, 1)
      for (int64_t token = s_.tokens() - 1; token >= 0; --token) {
        const float* scores = static_cast<const float*>(operands[0]) + token * s_.context_tokens();
        select(scores, s_.visible(token % s_.isl),
               static_cast<int32_t*>(operands[1]) + token * s_.geometry.topk, own);
      }
    }
  }

 private:
  /// Two sets of counts, then room for every rank of a row.
  size_t thread_words() const { return size_t(2 * kBuckets + (s_.context_tokens() + 31) / 16 * 16); }

  void select(const float* scores, int64_t visible, int32_t* positions, uint32_t* own) const {
    const int64_t most = s_.geometry.topk;
    if (visible > most) {
      Passes::take_positions(scores, visible, threshold(scores, visible, most, own), positions);
      return;
    }
    for (int64_t i = 0; i < most; ++i) positions[i] = i < visible ? int32_t(i) : -1;
  }

  static Threshold threshold(const float* scores, int64_t count, int64_t wanted, uint32_t* own) {
    uint32_t* const ranks = own + 2 * kBuckets;
    std::fill_n(own, 2 * kBuckets, 0U);
    int64_t i = 0;
    for (; i + 1 < count; i += 2) {  // two sets, because equal buckets in a row would wait for each other
      ++own[rank_of(scores[i]) >> 21];
      ++own[kBuckets + (rank_of(scores[i + 1]) >> 21)];
    }
    if (i < count) ++own[rank_of(scores[i]) >> 21];
    for (int bucket = 0; bucket < kBuckets; ++bucket) own[bucket] += own[kBuckets + bucket];
    Bucket found = find_bucket(own, wanted);
    uint32_t rank = found.index << 21;
    int64_t left = Passes::take_bucket(scores, count, found.index, ranks);
    for (const int shift : {10, 0}) {
      wanted -= found.above;
      const uint32_t mask = shift == 10 ? 0x7FF : 0x3FF;
      std::fill_n(own, kBuckets, 0U);
      for (int64_t at = 0; at < left; ++at) ++own[(ranks[at] >> shift) & mask];
      found = find_bucket(own, wanted);
      rank |= found.index << shift;
      int64_t kept = 0;
      for (int64_t at = 0; at < left; ++at) {
        const uint32_t candidate = ranks[at];
        ranks[kept] = candidate;
        kept += ((candidate >> shift) & mask) == found.index;
      }
      left = kept;
    }
    return {rank, wanted - found.above};
  }

  DsaShape s_;
  int threads_;
};

}  // namespace

std::unique_ptr<PreparedKernel> make_avx512_topk(const DsaTopk& op, CpuDevice& device) {
  return std::make_unique<RadixSelect<Avx512Passes>>(op, device);
}

std::unique_ptr<PreparedKernel> make_portable_topk(const DsaTopk& op, CpuDevice& device) {
  return std::make_unique<RadixSelect<PortablePasses>>(op, device);
}

}  // namespace perfatlas
