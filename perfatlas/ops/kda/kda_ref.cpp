// SPDX-License-Identifier: Apache-2.0
// The recurrence token by token in double precision; judges every kernel's numbers.
#include <cmath>

#include "perfatlas/ops/kda/kda.h"

namespace perfatlas {
namespace {

/// Operands of the delta rule, in declaration order; `states` only in verify.
enum At { q_at, k_at, v_at, g_at, beta_at, state_at, states_at };

/// `row` scaled to length one.
std::vector<double> normalised(const float* row, int64_t width) {
  std::vector<double> unit(row, row + width);
  double squares = Kda::kNormEpsilon;
  for (const double element : unit) squares += element * element;
  for (double& element : unit) element /= std::sqrt(squares);
  return unit;
}

/// One token of one head. `state` is k_dim x v_dim.
struct HeadStep {
  std::vector<double> q, k;
  const float *v, *g;
  double beta;
  float* o;
};

void step_head(const Kda& op, const HeadStep& step, std::vector<double>& state) {
  const auto rows = size_t(op.k_dim), columns = size_t(op.v_dim);
  for (size_t j = 0; j < columns; ++j) {
    double held = 0;
    for (size_t i = 0; i < rows; ++i) {
      state[i * columns + j] *= std::exp(double(step.g[i]));
      held += state[i * columns + j] * step.k[i];
    }
    const double change = step.beta * (double(step.v[j]) - held);
    double sum = 0;
    for (size_t i = 0; i < rows; ++i) {
      state[i * columns + j] += step.k[i] * change;
      sum += state[i * columns + j] * step.q[i];
    }
    step.o[j] = float(sum / std::sqrt(double(op.k_dim)));
  }
}

}  // namespace

void Kda::reference(std::vector<HostOperand>& data) const {
  if (kernel.text() == kConvFn || kernel.text() == kConvUpdate)
    return causal_conv_reference(conv_shape(), data);
  const int64_t head_state = k_dim * v_dim;
  std::vector<double> state(size_t(head_state), 0);
  for (int64_t sequence = 0; sequence < batch; ++sequence)
    for (int64_t head = 0; head < v_heads; ++head) {
      float* stored = data[state_at].values.data() + (sequence * v_heads + head) * head_state;
      if (phase == KdaPhase::context)
        std::fill(state.begin(), state.end(), 0);
      else
        std::copy_n(stored, head_state, state.begin());
      for (int64_t token = sequence * seq; token < (sequence + 1) * seq; ++token) {
        const int64_t row = token * v_heads + head;
        step_head(*this,
                  {.q = normalised(data[q_at].values.data() + row * k_dim, k_dim),
                   .k = normalised(data[k_at].values.data() + row * k_dim, k_dim),
                   .v = data[v_at].values.data() + row * v_dim,
                   .g = data[g_at].values.data() + row * k_dim,
                   .beta = double(data[beta_at].values[size_t(row)]),
                   .o = data.back().values.data() + row * v_dim},
                  state);
        if (phase == KdaPhase::verify)
          std::copy(state.begin(), state.end(), data[states_at].values.data() + row * head_state);
      }
      if (phase != KdaPhase::verify) std::copy(state.begin(), state.end(), stored);
    }
}

}  // namespace perfatlas
