// SPDX-License-Identifier: Apache-2.0
// Token by token in double precision; judges every kernel's numbers.
#include <cmath>

#include "perfatlas/ops/mhc/mhc.h"

namespace perfatlas {
namespace {

double sigmoid(double value) { return 1 / (1 + std::exp(-value)); }

/// Divides columns, then rows, by their sums, `iterations` times. `matrix` is square and positive.
void balance(std::vector<double>& matrix, size_t size, int64_t iterations) {
  for (int64_t iteration = 0; iteration < iterations; ++iteration) {
    for (size_t column = 0; column < size; ++column) {
      double sum = 0;
      for (size_t row = 0; row < size; ++row) sum += matrix[row * size + column];
      for (size_t row = 0; row < size; ++row) matrix[row * size + column] /= sum;
    }
    for (size_t row = 0; row < size; ++row) {
      double sum = 0;
      for (size_t column = 0; column < size; ++column) sum += matrix[row * size + column];
      for (size_t column = 0; column < size; ++column) matrix[row * size + column] /= sum;
    }
  }
}

/// scale[part] * (phi row . x) / rms + base, for the row-th mixing number.
double mixing_number(const float* phi, const float* x, size_t width, double rms) {
  double sum = 0;
  for (size_t i = 0; i < width; ++i) sum += double(phi[i]) * double(x[i]);
  return sum / rms;
}

void pre_reference(const Mhc& op, std::vector<HostOperand>& data) {
  const auto n = size_t(op.hc), hidden = size_t(op.hidden), mix = size_t(op.mix()), width = n * hidden;
  for (size_t row = 0; row < size_t(op.sites * op.tokens); ++row) {
    const size_t site = row / size_t(op.tokens);
    const float* x = data[0].values.data() + row * width;
    const float* scale = data[2].values.data() + site * 3;
    double squares = 0;
    for (size_t i = 0; i < width; ++i) squares += double(x[i]) * double(x[i]);
    const double rms = std::sqrt(squares / double(width) + Mhc::kEpsilon);
    std::vector<double> m(mix);
    for (size_t i = 0; i < mix; ++i)
      m[i] = double(scale[std::min<size_t>(i / n, 2)]) *
                 mixing_number(data[1].values.data() + (site * mix + i) * width, x, width, rms) +
             double(data[3].values[site * mix + i]);
    for (size_t i = 0; i < n; ++i) data[5].values[row * n + i] = float(2 * sigmoid(m[n + i]));
    std::vector<double> res(n * n);
    for (size_t i = 0; i < n * n; ++i) res[i] = std::exp(m[2 * n + i]);
    balance(res, n, op.sinkhorn);
    for (size_t i = 0; i < n * n; ++i) data[6].values[row * n * n + i] = float(res[i]);
    for (size_t h = 0; h < hidden; ++h) {
      double sum = 0;
      for (size_t i = 0; i < n; ++i) sum += sigmoid(m[i]) * double(x[i * hidden + h]);
      data[4].values[row * hidden + h] = float(sum);
    }
  }
}

void post_reference(const Mhc& op, std::vector<HostOperand>& data) {
  const auto n = size_t(op.hc), hidden = size_t(op.hidden);
  for (size_t row = 0; row < size_t(op.sites * op.tokens); ++row)
    for (size_t i = 0; i < n; ++i)
      for (size_t h = 0; h < hidden; ++h) {
        double sum = double(data[2].values[row * n + i]) * double(data[1].values[row * hidden + h]);
        for (size_t j = 0; j < n; ++j)
          sum += double(data[3].values[(row * n + i) * n + j]) *
                 double(data[0].values[(row * n + j) * hidden + h]);
        data[4].values[(row * n + i) * hidden + h] = float(sum);
      }
}

}  // namespace

void Mhc::reference(std::vector<HostOperand>& data) const {
  direction == MhcDirection::pre ? pre_reference(*this, data) : post_reference(*this, data);
}

}  // namespace perfatlas
