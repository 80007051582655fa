// SPDX-License-Identifier: Apache-2.0
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "perfatlas/ops/gdn/gdn_cpu.h"
#include "perfatlas/ops/mamba2/linear_cpu.h"

namespace perfatlas {
namespace {

/// Columns whose part of the state a step keeps in the first-level cache: four vectors.
constexpr int64_t kVectors = 4, kBlockColumns = 16 * kVectors;

/// One token of one value head; q is scaled by 1 / sqrt(k_dim).
struct HeadStep {
  const float *q, *k;
  const uint16_t* v;
  float decay, beta;
  float* state;  // [k_dim][v_dim]
  uint16_t* o;
  int64_t k_dim, v_dim;
};

PERFATLAS_AVX512 void step_avx512(const HeadStep& s) {
  const __m512 decay = _mm512_set1_ps(s.decay), beta = _mm512_set1_ps(s.beta);
  for (int64_t first = 0; first < s.v_dim; first += kBlockColumns) {
    __mmask16 lanes[kVectors];
    __m512 change[kVectors], sum[kVectors];
    for (int c = 0; c < kVectors; ++c) {
      lanes[c] = lanes_of(std::max<int64_t>(s.v_dim - first - 16 * c, 0));
      change[c] = sum[c] = _mm512_setzero_ps();
    }
    float* const state = s.state + first;
    for (int64_t i = 0; i < s.k_dim; ++i)  // what the state answers to the key
      for (int c = 0; c < kVectors; ++c)
        change[c] = _mm512_fmadd_ps(_mm512_set1_ps(s.k[i]),
                                    load_floats(state + i * s.v_dim + 16 * c, lanes[c]), change[c]);
    for (int c = 0; c < kVectors; ++c)
      change[c] =
          _mm512_mul_ps(beta, _mm512_fnmadd_ps(decay, change[c], load_bf16(s.v + first + 16 * c, lanes[c])));
    for (int64_t i = 0; i < s.k_dim; ++i)
      for (int c = 0; c < kVectors; ++c) {
        float* const at = state + i * s.v_dim + 16 * c;
        const __m512 kept = _mm512_mul_ps(decay, load_floats(at, lanes[c]));
        const __m512 updated = _mm512_fmadd_ps(_mm512_set1_ps(s.k[i]), change[c], kept);
        store_floats(at, lanes[c], updated);
        sum[c] = _mm512_fmadd_ps(_mm512_set1_ps(s.q[i]), updated, sum[c]);
      }
    for (int c = 0; c < kVectors; ++c) store_bf16(s.o + first + 16 * c, lanes[c], sum[c]);
  }
}

void step_portable(const HeadStep& s) {
  for (int64_t j = 0; j < s.v_dim; ++j) {
    float held = 0;
    for (int64_t i = 0; i < s.k_dim; ++i) held += s.k[i] * s.state[i * s.v_dim + j];
    const float change = s.beta * (bf16_to_float(s.v[j]) - s.decay * held);
    float sum = 0;
    for (int64_t i = 0; i < s.k_dim; ++i) {
      float& cell = s.state[i * s.v_dim + j];
      cell = s.decay * cell + s.k[i] * change;
      sum += s.q[i] * cell;
    }
    s.o[j] = float_to_bf16(sum);
  }
}

/// unit = row / |row| * scale.
void normalise(const uint16_t* row, int64_t width, float scale, float* unit) {
  float squares = float(Gdn::kNormEpsilon);
  for (int64_t i = 0; i < width; ++i) {
    unit[i] = bf16_to_float(row[i]);
    squares += unit[i] * unit[i];
  }
  const float factor = scale / std::sqrt(squares);
  for (int64_t i = 0; i < width; ++i) unit[i] *= factor;
}

class Recurrence final : public PreparedKernel {
 public:
  using StepFunction = void (*)(const HeadStep&);

  Recurrence(const Gdn& op, int threads, StepFunction step)
      : op_(op), threads_(int(std::min<int64_t>(threads, op.batch * op.v_heads))), step_(step) {}

  size_t workspace_bytes() const override { return size_t(threads_) * scratch_floats() * sizeof(float); }

  void launch(Stream, std::span<void* const> operands, void* workspace) override {
    const GdnMemory memory(operands);
#pragma omp parallel for num_threads(threads_) schedule(static) if (threads_ > 1)
    for (int64_t piece = 0; piece < op_.batch * op_.v_heads; ++piece)
      run_head(memory, piece / op_.v_heads, piece % op_.v_heads,
               static_cast<float*>(workspace) + size_t(omp_get_thread_num()) * scratch_floats());
  }

 private:
  /// The normalised query and key of one token, apart from those of other threads.
  size_t scratch_floats() const { return size_t(2 * op_.k_dim + 15) / 16 * 16; }

  void run_head(const GdnMemory& memory, int64_t sequence, int64_t head, float* scratch) {
    const int64_t head_state = op_.k_dim * op_.v_dim;
    float* const state = memory.state + (sequence * op_.v_heads + head) * head_state;
    if (op_.phase == LinearPhase::context) std::fill_n(state, head_state, 0.0F);
    for (int64_t token = sequence * op_.seq; token < (sequence + 1) * op_.seq; ++token) {
      const int64_t row = token * op_.v_heads + head;
      const int64_t key = token * op_.k_heads + head * op_.k_heads / op_.v_heads;
      normalise(memory.q + key * op_.k_dim, op_.k_dim, 1 / std::sqrt(float(op_.k_dim)), scratch);
      normalise(memory.k + key * op_.k_dim, op_.k_dim, 1, scratch + op_.k_dim);
      step_({.q = scratch,
             .k = scratch + op_.k_dim,
             .v = memory.v + row * op_.v_dim,
             .decay = std::exp(memory.g[row]),
             .beta = bf16_to_float(memory.beta[row]),
             .state = state,
             .o = memory.o + row * op_.v_dim,
             .k_dim = op_.k_dim,
             .v_dim = op_.v_dim});
    }
  }

  Gdn op_;
  int threads_;
  StepFunction step_;
};

}  // namespace

std::unique_ptr<PreparedKernel> make_vector_gdn(const Gdn& op, CpuDevice& device) {
  return std::make_unique<Recurrence>(op, device.threads(), step_avx512);
}

std::unique_ptr<PreparedKernel> make_portable_gdn(const Gdn& op, CpuDevice& device) {
  return std::make_unique<Recurrence>(op, device.threads(), step_portable);
}

}  // namespace perfatlas
