// SPDX-License-Identifier: Apache-2.0
// State space duality (Dao and Gu 2024, section 6): within a chunk the recurrence is a masked matrix product, between
// chunks it is one matrix per head. Products are oneDNN matmuls on bf16 operands with fp32 sums; the state stays fp32.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>

#include "perfatlas/ops/attention/attention_cpu_exp.h"
#include "perfatlas/ops/mamba2/linear_cpu.h"
#include "perfatlas/ops/mamba2/mamba2_cpu.h"
#include "perfatlas/ops/mamba2/small_matmuls_cpu.h"

namespace perfatlas {
namespace {

constexpr float kLog2E = 1.44269504F;

/// The products of chunks of one length.
struct ChunkMatmuls {
  int scores = 0;                        // C B^T
  int inter = 0;                         // C state^T
  int intra_first = 0, intra_added = 0;  // masked scores times x, alone or on top of `inter`
  int state_first = 0, state_added = 0;  // x^T B, alone or on top of the decayed state
};

/// Scratch of one thread.
struct ChunkScratch {
  uint16_t *b, *c;         // [rows][d_state] of the group
  float* scores;           // [rows][rows] of the group
  uint16_t* masked;        // [rows][rows] of the head
  uint16_t *x, *weighted;  // [rows][head_dim] of the head; weighted by what is left at the end of the chunk
  uint16_t* state;         // [head_dim][d_state]
  float* y;                // [rows][head_dim]
  float *log2_decay, *dt;  // [rows]: since the start of the chunk; step
  std::byte* scratchpad;
};

/// masked[t][u] = scores[t][u] * decay from u to t * dt[u] for u <= t, else 0.
PERFATLAS_AVX512 void mask_scores(const ChunkScratch& s, int64_t rows) {
  for (int64_t t = 0; t < rows; ++t) {
    const __m512 now = _mm512_set1_ps(s.log2_decay[t]);
    for (int64_t u = 0; u < rows; u += 16) {
      const __mmask16 inside = lanes_of(rows - u), causal = u > t ? __mmask16(0) : lanes_of(t + 1 - u);
      __m512 value = _mm512_setzero_ps();
      if (causal != 0) {
        const __m512 decay = exp2_lanes<false>(_mm512_sub_ps(now, load_floats(s.log2_decay + u, causal)));
        value = _mm512_mul_ps(load_floats(s.scores + t * rows + u, causal), load_floats(s.dt + u, causal));
        value = _mm512_maskz_mul_ps(causal, value, decay);
      }
      store_bf16(s.masked + t * rows + u, inside, value);
    }
  }
}

/// x of one head made dense, and once more times dt and what is left of it at the end of the chunk.
PERFATLAS_AVX512 void gather_head(const Mamba2& op, const uint16_t* x, const ChunkScratch& s, int64_t rows) {
  for (int64_t u = 0; u < rows; ++u) {
    const __m512 weight = _mm512_set1_ps(s.dt[u] * std::exp2(s.log2_decay[rows - 1] - s.log2_decay[u]));
    for (int64_t p = 0; p < op.head_dim; p += 16) {
      const __mmask16 lanes = lanes_of(op.head_dim - p);
      const __m512 value = load_bf16(x + u * op.heads * op.head_dim + p, lanes);
      store_bf16(s.x + u * op.head_dim + p, lanes, value);
      store_bf16(s.weighted + u * op.head_dim + p, lanes, _mm512_mul_ps(value, weight));
    }
  }
}

/// Rounds the state for reading and lets it decay over the whole chunk.
PERFATLAS_AVX512 void round_state(const ChunkScratch& s, float* state, int64_t elements, float decay) {
  const __m512 factor = _mm512_set1_ps(decay);
  for (int64_t i = 0; i < elements; i += 16) {
    const __mmask16 lanes = lanes_of(elements - i);
    const __m512 value = load_floats(state + i, lanes);
    store_bf16(s.state + i, lanes, value);
    store_floats(state + i, lanes, _mm512_mul_ps(value, factor));
  }
}

/// y *= decay since the start of the chunk, row by row.
PERFATLAS_AVX512 void decay_rows(const Mamba2& op, const ChunkScratch& s, int64_t rows) {
  for (int64_t t = 0; t < rows; ++t) {
    const __m512 factor = _mm512_set1_ps(std::exp2(s.log2_decay[t]));
    for (int64_t p = 0; p < op.head_dim; p += 16) {
      const __mmask16 lanes = lanes_of(op.head_dim - p);
      float* const at = s.y + t * op.head_dim + p;
      store_floats(at, lanes, _mm512_mul_ps(load_floats(at, lanes), factor));
    }
  }
}

PERFATLAS_AVX512 void write_head(const Mamba2& op, const ChunkScratch& s, int64_t rows, float skip,
                                 uint16_t* y) {
  const __m512 factor = _mm512_set1_ps(skip);
  for (int64_t t = 0; t < rows; ++t)
    for (int64_t p = 0; p < op.head_dim; p += 16) {
      const __mmask16 lanes = lanes_of(op.head_dim - p);
      const __m512 sum = _mm512_fmadd_ps(load_bf16(s.x + t * op.head_dim + p, lanes), factor,
                                         load_floats(s.y + t * op.head_dim + p, lanes));
      store_bf16(y + t * op.heads * op.head_dim + p, lanes, sum);
    }
}

class ChunkedScan final : public PreparedKernel {
 public:
  ChunkedScan(const Mamba2& op, CpuDevice& device)
      : op_(op),
        threads_(device.threads()),
        chunk_(std::min(op.chunk, op.seq)),
        matmuls_(threads_, device.onednn()) {
    whole_ = add_matmuls(chunk_);
    if (op.seq % chunk_ != 0) rest_ = add_matmuls(op.seq % chunk_);
    // A group's scores serve all its heads; groups are only split when there are fewer of them than threads.
    const int64_t heads = op.heads / op.groups, groups = op.batch * op.groups;
    parts_ = std::clamp<int64_t>((threads_ + groups - 1) / groups, 1, heads);
  }

  size_t workspace_bytes() const override { return size_t(threads_) * scratch_bytes(); }

  void launch(Stream, std::span<void* const> operands, void* workspace) override {
    const Mamba2Memory memory(operands);
    const int64_t pieces = op_.batch * op_.groups * parts_;
    const int threads = int(std::min<int64_t>(threads_, pieces));
    std::exception_ptr failure;  // none may leave the parallel region
#pragma omp parallel num_threads(threads)
    {
      const int thread = omp_get_thread_num();
      ChunkScratch scratch;
      lay_out(static_cast<std::byte*>(workspace) + size_t(thread) * scratch_bytes(), scratch);
#pragma omp for schedule(dynamic, 1)
      for (int64_t piece = 0; piece < pieces; ++piece) try {
          run_part(memory, piece, thread, scratch);
        } catch (...) {
#pragma omp critical
          failure = std::current_exception();
        }
    }
    if (failure) std::rethrow_exception(failure);
  }

 private:
  ChunkMatmuls add_matmuls(int64_t rows) {
    const int64_t width = op_.d_state, head = op_.head_dim;
    return {
        .scores = matmuls_.add({.rows = rows, .depth = width, .columns = rows, .b_transposed = true}),
        .inter = matmuls_.add({.rows = rows, .depth = width, .columns = head, .b_transposed = true}),
        .intra_first = matmuls_.add({.rows = rows, .depth = rows, .columns = head}),
        .intra_added = matmuls_.add({.rows = rows, .depth = rows, .columns = head, .accumulate = true}),
        .state_first = matmuls_.add({.rows = head, .depth = rows, .columns = width, .a_transposed = true}),
        .state_added = matmuls_.add(
            {.rows = head, .depth = rows, .columns = width, .a_transposed = true, .accumulate = true})};
  }

  /// Bytes of one thread's scratch; its parts are found from `start` unless that is null.
  size_t lay_out(std::byte* start, ChunkScratch& s) const {
    size_t bytes = 0;
    const auto take = [&](auto*& pointer, int64_t elements) {
      if (start != nullptr)
        pointer = reinterpret_cast<std::remove_reference_t<decltype(pointer)>>(start + bytes);
      bytes += (size_t(elements) * sizeof(*pointer) + 63) / 64 * 64;
    };
    take(s.b, chunk_ * op_.d_state);
    take(s.c, chunk_ * op_.d_state);
    take(s.scores, chunk_ * chunk_);
    take(s.masked, chunk_ * chunk_);
    take(s.x, chunk_ * op_.head_dim);
    take(s.weighted, chunk_ * op_.head_dim);
    take(s.state, op_.head_dim * op_.d_state);
    take(s.y, chunk_ * op_.head_dim);
    take(s.log2_decay, chunk_);
    take(s.dt, chunk_);
    take(s.scratchpad, int64_t(matmuls_.scratchpad_bytes()));
    return (bytes + 4095) / 4096 * 4096;
  }
  size_t scratch_bytes() const {
    ChunkScratch unused;
    return lay_out(nullptr, unused);
  }

  void run_part(const Mamba2Memory& memory, int64_t piece, int thread, const ChunkScratch& s) {
    const int64_t part = piece % parts_, group = piece / parts_ % op_.groups,
                  sequence = piece / parts_ / op_.groups;
    const int64_t heads = op_.heads / op_.groups, first = group * heads + heads * part / parts_,
                  last = group * heads + heads * (part + 1) / parts_;
    for (int64_t begin = 0; begin < op_.seq; begin += chunk_) {
      const int64_t rows = std::min(chunk_, op_.seq - begin), token = sequence * op_.seq + begin;
      const ChunkMatmuls& use = rows == chunk_ ? whole_ : rest_;
      for (int64_t t = 0; t < rows; ++t) {
        const int64_t from = ((token + t) * op_.groups + group) * op_.d_state;
        std::memcpy(s.b + t * op_.d_state, memory.b + from, size_t(op_.d_state) * sizeof(uint16_t));
        std::memcpy(s.c + t * op_.d_state, memory.c + from, size_t(op_.d_state) * sizeof(uint16_t));
      }
      matmuls_.run(use.scores, thread, {s.c, s.b, s.scores, s.scratchpad});
      for (int64_t head = first; head < last; ++head)
        run_head(memory, {sequence, head, token, rows}, thread, s);
    }
  }

  struct HeadChunk {
    int64_t sequence, head, token, rows;
  };

  void run_head(const Mamba2Memory& memory, const HeadChunk& at, int thread, const ChunkScratch& s) {
    const ChunkMatmuls& use = at.rows == chunk_ ? whole_ : rest_;
    const bool first = at.token == at.sequence * op_.seq;
    const float a = memory.a[at.head] * kLog2E;
    float log2_decay = 0;
    for (int64_t t = 0; t < at.rows; ++t) {
      s.dt[t] = mamba2_time_step(memory.dt[(at.token + t) * op_.heads + at.head], memory.dt_bias[at.head]);
      s.log2_decay[t] = log2_decay += s.dt[t] * a;
    }
    const int64_t offset = (at.token * op_.heads + at.head) * op_.head_dim,
                  elements = op_.head_dim * op_.d_state;
    float* const state = memory.state + (at.sequence * op_.heads + at.head) * elements;
    gather_head(op_, memory.x + offset, s, at.rows);
    mask_scores(s, at.rows);
    if (!first) {
      round_state(s, state, elements, std::exp2(log2_decay));
      matmuls_.run(use.inter, thread, {s.c, s.state, s.y, s.scratchpad});
      decay_rows(op_, s, at.rows);
    }
    matmuls_.run(first ? use.intra_first : use.intra_added, thread, {s.masked, s.x, s.y, s.scratchpad});
    matmuls_.run(first ? use.state_first : use.state_added, thread, {s.weighted, s.b, state, s.scratchpad});
    write_head(op_, s, at.rows, memory.d[at.head], memory.y + offset);
  }

  Mamba2 op_;
  int threads_;
  int64_t chunk_;
  SmallMatmuls matmuls_;
  ChunkMatmuls whole_, rest_;
  int64_t parts_ = 1;
};

}  // namespace

std::unique_ptr<PreparedKernel> make_chunked_mamba2(const Mamba2& op, CpuDevice& device) {
  return std::make_unique<ChunkedScan>(op, device);
}

}  // namespace perfatlas
