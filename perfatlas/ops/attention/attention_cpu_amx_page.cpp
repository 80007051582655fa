// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/attention/attention_cpu_amx_page.h"

#include <algorithm>
#include <utility>

#include "perfatlas/backends/cpu/avx512.h"
#include "perfatlas/ops/attention/attention_cpu_blocked.h"  // WorkspaceCutter

namespace perfatlas {
namespace {

constexpr int64_t kTokenBlocks = kPageTokens / kTileRows;
constexpr int64_t kTileBf16 = kTileBytes / 2, kTileFloats = kTileBytes / 4;

/// The scratch of one thread.
struct Scratch {
  Scratch(std::byte* start, int64_t q_tiles) {
    WorkspaceCutter cut(start);
    by_token = cut.take<float>(16 * kPageTokens);
    by_head = cut.take<float>(16 * kPageTokens);
    rounded = cut.take<Bf16>(kPageTokens);
    weights = cut.take<uint32_t>(kTokenBlocks * kTileFloats);
    q = cut.take<Bf16>(size_t(q_tiles * kTileBf16));
    bytes = cut.used();
  }

  float* by_token;    // scores [64, 16 heads]
  float* by_head;     // scores [16 heads, 64]
  Bf16* rounded;      // weights of one head [64]
  uint32_t* weights;  // [token block] tiles: eight heads for the even columns, the same for the odd ones
  Bf16* q;            // [score block][dim block] tiles: [16 pairs, 16 heads, 2]
  size_t bytes;
};

/// Hands out, line by line, what the memory should deliver next. The hardware sees too late that a page begins, and
/// the strided rows of a tile do not look like a stream to it.
class Fetcher {
 public:
  explicit Fetcher(const void* start) : at_(static_cast<const std::byte*>(start)) {}
  void tile() {
    for (int64_t byte = 0; byte < kTileBytes; byte += 64) fetch_line(at_ + byte);
    at_ += kTileBytes;
  }

 private:
  const std::byte* at_;
};

/// by_token[64, 16] = keys q^T, two blocks of tokens at a time, and fetches as many bytes from `next`.
void score_tiles(const Bf16* keys, int64_t head_dim, const Bf16* q, Fetcher next, float* by_token) {
  const int64_t row_bytes = head_dim * 2;
  for (int64_t token = 0; token < kPageTokens; token += 2 * kTileRows) {
    clear_tile<0>();
    clear_tile<1>();
    for (int64_t dim = 0; dim < head_dim; dim += 32) {
      const Bf16* block = keys + token * head_dim + dim;
      load_tile<4>(q + dim / 32 * kTileBf16, 64);
      next.tile();
      load_tile<5>(block, row_bytes);
      multiply_tiles<0, 5, 4>();
      next.tile();
      load_tile<6>(block + kTileRows * head_dim, row_bytes);
      multiply_tiles<1, 6, 4>();
    }
    store_tile<0>(by_token + token * 16);
    store_tile<1>(by_token + (token + kTileRows) * 16);
  }
}

/// What the sums of up to eight heads over some columns of a page need, and what to fetch meanwhile.
struct ValueStep {
  const Bf16* values;
  int64_t head_dim;
  const uint32_t* weights;
  Fetcher next;
};

/// sums += weights values for `n...` column blocks of 32, from the first one on.
template <int... n>
void value_tiles(ValueStep step, float* sums, std::integer_sequence<int, n...>) {
  (load_tile<n>(sums + n * kTileFloats, 64), ...);
  for (int64_t block = 0; block < kTokenBlocks; ++block) {
    const Bf16* rows = step.values + block * kTileRows * step.head_dim;
    load_tile<4>(step.weights + block * kTileFloats, 64);
    ((step.next.tile(), load_tile<5 + n % 3>(rows + n * 32, step.head_dim * 2),
      multiply_tiles<n, 4, 5 + n % 3>()),
     ...);
  }
  (store_tile<n>(sums + n * kTileFloats), ...);
}

/// The same for all columns, four blocks at a time: as many sums as leave tiles for the operands.
void add_values(const PageStep<Bf16>& page, int64_t head_dim, const uint32_t* weights, float* sums) {
  for (int64_t dim = 0; dim < head_dim; dim += 128, sums += 4 * kTileFloats) {
    const ValueStep step{page.values + dim, head_dim, weights, Fetcher(page.next_keys + dim * kPageTokens)};
    switch (std::min<int64_t>((head_dim - dim) / 32, 4)) {
      case 1:
        value_tiles(step, sums, std::make_integer_sequence<int, 1>());
        break;
      case 2:
        value_tiles(step, sums, std::make_integer_sequence<int, 2>());
        break;
      case 3:
        value_tiles(step, sums, std::make_integer_sequence<int, 3>());
        break;
      default:
        value_tiles(step, sums, std::make_integer_sequence<int, 4>());
    }
  }
}

/// to[16 heads, 64] = transposed from[64, 16 heads], for the first `heads`.
PERFATLAS_AVX512 void transpose_scores(const float* from, int64_t heads, float* to) {
  for (int64_t head = 0; head < heads; head += 4)
    for (int64_t token = 0; token < kPageTokens; token += 16) {
      __m512 rows[4];  // lanes 4j..4j+3 of rows[i]: four heads of token 4j + i
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        const float* at = from + (token + i) * 16 + head;
        rows[i] = _mm512_castps128_ps512(_mm_loadu_ps(at));
        rows[i] = _mm512_mask_broadcast_f32x4(rows[i], 0x00F0, _mm_loadu_ps(at + 64));
        rows[i] = _mm512_mask_broadcast_f32x4(rows[i], 0x0F00, _mm_loadu_ps(at + 128));
        rows[i] = _mm512_mask_broadcast_f32x4(rows[i], 0xF000, _mm_loadu_ps(at + 192));
      }
      const __m512d a = _mm512_castps_pd(_mm512_unpacklo_ps(rows[0], rows[1])),
                    b = _mm512_castps_pd(_mm512_unpacklo_ps(rows[2], rows[3])),
                    c = _mm512_castps_pd(_mm512_unpackhi_ps(rows[0], rows[1])),
                    d = _mm512_castps_pd(_mm512_unpackhi_ps(rows[2], rows[3]));
      float* out = to + head * kPageTokens + token;
      _mm512_storeu_pd(out, _mm512_unpacklo_pd(a, b));
      _mm512_storeu_pd(out + kPageTokens, _mm512_unpackhi_pd(a, b));
      _mm512_storeu_pd(out + 2 * kPageTokens, _mm512_unpacklo_pd(c, d));
      _mm512_storeu_pd(out + 3 * kPageTokens, _mm512_unpackhi_pd(c, d));
    }
}

/// Puts the weights of one head of eight into its two rows of every tile: with zero for the odd, then the even, of
/// each pair of columns.
PERFATLAS_AVX512 void spread_weights(const Bf16* rounded, int64_t head, uint32_t* weights) {
  for (int64_t block = 0; block < kTokenBlocks; ++block) {
    const auto* at = reinterpret_cast<const __m256i*>(rounded + block * 16);
    const __m512i even = _mm512_cvtepu16_epi32(_mm256_loadu_si256(at));
    uint32_t* row = weights + (block * kTileRows + head) * kTileWords;
    _mm512_storeu_si512(row, even);
    _mm512_storeu_si512(row + 8 * kTileWords, _mm512_slli_epi32(even, 16));
  }
}

}  // namespace

size_t AmxPages::scratch_bytes() const { return Scratch(nullptr, score_blocks() * dim_blocks()).bytes; }

void AmxPages::begin(const Bf16* q, std::byte* scratch) const {
  const int64_t tiles = score_blocks() * dim_blocks();
  const Scratch own(scratch, tiles);
  std::fill_n(own.q, tiles * kTileBf16, Bf16{});
  std::fill_n(own.weights, kTokenBlocks * kTileFloats, 0U);  // rows of heads that are not there
  for (int64_t head = 0; head < shape_.heads; ++head)
    for (int64_t d = 0; d < shape_.head_dim; ++d) {
      const int64_t tile = head / kScoreHeads * dim_blocks() + d / 32;
      own.q[tile * kTileBf16 + d % 32 / 2 * 32 + head % kScoreHeads * 2 + d % 2] =
          q[head * shape_.head_dim + d];
    }
}

void AmxPages::add_page(const PageStep<Bf16>& step, const RunningSums& running, std::byte* scratch) const {
  const Scratch own(scratch, score_blocks() * dim_blocks());
  for (int64_t first = 0; first < shape_.heads; first += kValueHeads) {
    if (first % kScoreHeads == 0) {
      const Bf16* q = own.q + first / kScoreHeads * dim_blocks() * kTileBf16;
      score_tiles(step.keys, shape_.head_dim, q, Fetcher(step.values), own.by_token);
      transpose_scores(own.by_token, std::min(shape_.heads - first, kScoreHeads), own.by_head);
    }
    for (int64_t head = first; head < std::min(first + kValueHeads, shape_.heads); ++head) {
      const float shrink = softmax_block(own.by_head + head % kScoreHeads * kPageTokens, step.block,
                                         own.rounded, running.softmax[head]);
      spread_weights(own.rounded, head - first, own.weights);
      if (shrink != 1) scale(running.sums, head, shrink);
    }
    add_values(step, shape_.head_dim, own.weights, running.sums + sum_row(first, 0));
  }
}

void AmxPages::scale(float* sums, int64_t head, float factor) const {
  for (int64_t block = 0; block < dim_blocks(); ++block)
    for (const int64_t row : {int64_t(0), kValueHeads})
      scale_floats(sums + sum_row(head, block) + row * kTileWords, kTileWords, factor);
}

void AmxPages::store(const float* sums, int64_t head, float factor, Bf16* out) const {
  for (int64_t d = 0; d < shape_.head_dim; ++d) {
    const size_t at = sum_row(head, d / 32) + size_t(d % 2 * kValueHeads * kTileWords + d % 32 / 2);
    out[d] = from_float<Bf16>(sums[at] * factor);
  }
}

}  // namespace perfatlas
