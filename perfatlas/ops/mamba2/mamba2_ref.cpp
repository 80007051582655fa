// SPDX-License-Identifier: Apache-2.0
// The recurrence token by token in double precision; judges every kernel's numbers.
#include <cmath>

#include "perfatlas/ops/mamba2/mamba2.h"

namespace perfatlas {
namespace {

/// Operands of the recurrence, in declaration order.
enum At { x_at, dt_at, a_at, b_at, c_at, d_at, dt_bias_at, state_at, y_at };

/// One token of one head: `state` is head_dim x d_state.
struct HeadStep {
  const float *x, *b, *c;
  double decay, dt, skip;
  float* y;
};

void step_head(const Mamba2& op, const HeadStep& step, std::vector<double>& state) {
  const auto width = size_t(op.d_state);
  for (size_t p = 0; p < size_t(op.head_dim); ++p) {
    double sum = step.skip * double(step.x[p]);
    for (size_t n = 0; n < width; ++n) {
      double& cell = state[p * width + n];
      cell = step.decay * cell + step.dt * double(step.x[p]) * double(step.b[n]);
      sum += double(step.c[n]) * cell;
    }
    step.y[p] = float(sum);
  }
}

}  // namespace

void Mamba2::reference(std::vector<HostOperand>& data) const {
  if (kernel.text() == kConvFn || kernel.text() == kConvUpdate)
    return causal_conv_reference(conv_shape(), data);
  const auto value = [&](At operand, int64_t index) { return double(data[operand].values[size_t(index)]); };
  const int64_t head_state = head_dim * d_state;
  std::vector<double> state(size_t(head_state), 0);
  for (int64_t sequence = 0; sequence < batch; ++sequence)
    for (int64_t head = 0; head < heads; ++head) {
      float* stored = data[state_at].values.data() + (sequence * heads + head) * head_state;
      if (phase == LinearPhase::context)
        std::fill(state.begin(), state.end(), 0);
      else
        std::copy_n(stored, head_state, state.begin());
      const double a = value(a_at, head);
      for (int64_t token = sequence * seq; token < (sequence + 1) * seq; ++token) {
        const int64_t row = token * heads + head, group = token * groups + head * groups / heads;
        const double dt = std::log1p(std::exp(value(dt_at, row) + value(dt_bias_at, head)));
        step_head(*this,
                  {.x = data[x_at].values.data() + row * head_dim,
                   .b = data[b_at].values.data() + group * d_state,
                   .c = data[c_at].values.data() + group * d_state,
                   .decay = std::exp(dt * a),
                   .dt = dt,
                   .skip = value(d_at, head),
                   .y = data[y_at].values.data() + row * head_dim},
                  state);
      }
      std::copy(state.begin(), state.end(), stored);
    }
}

}  // namespace perfatlas
