// SPDX-License-Identifier: Apache-2.0
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "perfatlas/ops/mamba2/linear_cpu.h"
#include "perfatlas/ops/mamba2/mamba2_cpu.h"

namespace perfatlas {
namespace {

/// One token of one head.
struct HeadStep {
  const uint16_t *x, *b, *c;
  float decay, dt, skip;
  float* state;  // [head_dim][d_state]
  uint16_t* y;
  int64_t head_dim, d_state;
};

PERFATLAS_AVX512 void step_avx512(const HeadStep& step) {
  const __m512 decay = _mm512_set1_ps(step.decay);
  for (int64_t p = 0; p < step.head_dim; ++p) {
    const float x = bf16_to_float(step.x[p]);
    const __m512 scaled = _mm512_set1_ps(step.dt * x);
    float* const row = step.state + p * step.d_state;
    __m512 sum = _mm512_setzero_ps();
    for (int64_t n = 0; n < step.d_state; n += 16) {
      const __mmask16 lanes = lanes_of(step.d_state - n);
      const __m512 added = _mm512_mul_ps(scaled, load_bf16(step.b + n, lanes));
      const __m512 state = _mm512_fmadd_ps(decay, load_floats(row + n, lanes), added);
      store_floats(row + n, lanes, state);
      sum = _mm512_fmadd_ps(load_bf16(step.c + n, lanes), state, sum);
    }
    step.y[p] = float_to_bf16(_mm512_reduce_add_ps(sum) + step.skip * x);
  }
}

void step_portable(const HeadStep& step) {
  for (int64_t p = 0; p < step.head_dim; ++p) {
    const float x = bf16_to_float(step.x[p]), scaled = step.dt * x;
    float* const row = step.state + p * step.d_state;
    float sum = step.skip * x;
    for (int64_t n = 0; n < step.d_state; ++n) {
      row[n] = step.decay * row[n] + scaled * bf16_to_float(step.b[n]);
      sum += bf16_to_float(step.c[n]) * row[n];
    }
    step.y[p] = float_to_bf16(sum);
  }
}

class Recurrence final : public PreparedKernel {
 public:
  using StepFunction = void (*)(const HeadStep&);

  Recurrence(const Mamba2& op, int threads, StepFunction step)
      : op_(op), threads_(int(std::min<int64_t>(threads, op.batch * op.heads))), step_(step) {}

  void launch(Stream, std::span<void* const> operands, void*) override {
    const Mamba2Memory memory(operands);
#pragma omp parallel for num_threads(threads_) schedule(static) if (threads_ > 1)
    for (int64_t piece = 0; piece < op_.batch * op_.heads; ++piece)
      run_head(memory, piece / op_.heads, piece % op_.heads);
  }

 private:
  void run_head(const Mamba2Memory& memory, int64_t sequence, int64_t head) {
    const int64_t head_state = op_.head_dim * op_.d_state;
    float* const state = memory.state + (sequence * op_.heads + head) * head_state;
    if (op_.phase == LinearPhase::context) std::fill_n(state, head_state, 0.0F);
    const float a = memory.a[head];
    for (int64_t token = sequence * op_.seq; token < (sequence + 1) * op_.seq; ++token) {
      const int64_t row = token * op_.heads + head;
      const int64_t group = token * op_.groups + head * op_.groups / op_.heads;
      const float dt = mamba2_time_step(memory.dt[row], memory.dt_bias[head]);
      step_({.x = memory.x + row * op_.head_dim,
             .b = memory.b + group * op_.d_state,
             .c = memory.c + group * op_.d_state,
             .decay = std::exp(dt * a),
             .dt = dt,
             .skip = memory.d[head],
             .state = state,
             .y = memory.y + row * op_.head_dim,
             .head_dim = op_.head_dim,
             .d_state = op_.d_state});
    }
  }

  Mamba2 op_;
  int threads_;
  StepFunction step_;
};

}  // namespace

float mamba2_time_step(uint16_t dt_raw, float dt_bias) {
  const float sum = bf16_to_float(dt_raw) + dt_bias;
  return sum > 20 ? sum : std::log1p(std::exp(sum));  // beyond 20 they agree in fp32
}

std::unique_ptr<PreparedKernel> make_vector_mamba2(const Mamba2& op, CpuDevice& device) {
  return std::make_unique<Recurrence>(op, device.threads(), step_avx512);
}

std::unique_ptr<PreparedKernel> make_portable_mamba2(const Mamba2& op, CpuDevice& device) {
  return std::make_unique<Recurrence>(op, device.threads(), step_portable);
}

}  // namespace perfatlas
