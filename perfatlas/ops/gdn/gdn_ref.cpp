// SPDX-License-Identifier: Apache-2.0
// The recurrence token by token in double precision; judges every kernel's numbers.
#include <cmath>

#include "perfatlas/ops/gdn/gdn.h"

namespace perfatlas {
namespace {

/// Operands of the delta rule, in declaration order.
enum At { q_at, k_at, v_at, g_at, beta_at, state_at, o_at };

/// `row` scaled to length one.
std::vector<double> normalised(const float* row, int64_t width) {
  std::vector<double> unit(row, row + width);
  double squares = Gdn::kNormEpsilon;
  for (const double element : unit) squares += element * element;
  for (double& element : unit) element /= std::sqrt(squares);
  return unit;
}

/// One token of one value head. `state` is k_dim x v_dim.
struct HeadStep {
  std::vector<double> q, k;
  const float* v;
  double decay, beta;
  float* o;
};

void step_head(const Gdn& op, const HeadStep& step, std::vector<double>& state) {
  const auto rows = size_t(op.k_dim), columns = size_t(op.v_dim);
  for (size_t j = 0; j < columns; ++j) {
    double held = 0;  // what the state answers to the key
    for (size_t i = 0; i < rows; ++i) {
      state[i * columns + j] *= step.decay;
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

void Gdn::reference(std::vector<HostOperand>& data) const {
  if (kernel.text() == kConvFn || kernel.text() == kConvUpdate)
    return causal_conv_reference(conv_shape(), data);
  const int64_t head_state = k_dim * v_dim;
  std::vector<double> state(size_t(head_state), 0);
  for (int64_t sequence = 0; sequence < batch; ++sequence)
    for (int64_t head = 0; head < v_heads; ++head) {
      float* stored = data[state_at].values.data() + (sequence * v_heads + head) * head_state;
      if (phase == LinearPhase::context)
        std::fill(state.begin(), state.end(), 0);
      else
        std::copy_n(stored, head_state, state.begin());
      for (int64_t token = sequence * seq; token < (sequence + 1) * seq; ++token) {
        const int64_t row = token * v_heads + head, key = token * k_heads + head * k_heads / v_heads;
        step_head(*this,
                  {.q = normalised(data[q_at].values.data() + key * k_dim, k_dim),
                   .k = normalised(data[k_at].values.data() + key * k_dim, k_dim),
                   .v = data[v_at].values.data() + row * v_dim,
                   .decay = std::exp(double(data[g_at].values[size_t(row)])),
                   .beta = double(data[beta_at].values[size_t(row)]),
                   .o = data[o_at].values.data() + row * v_dim},
                  state);
      }
      std::copy(state.begin(), state.end(), stored);
    }
}

}  // namespace perfatlas
