// SPDX-License-Identifier: Apache-2.0
// Naive sum and norm in double precision; judges every kernel's numbers.
#include <cmath>

#include "perfatlas/ops/add_rms_norm/add_rms_norm.h"

namespace perfatlas {

void AddRmsNorm::reference(std::vector<HostOperand>& data) const {
  const std::vector<float>& x = data[0].values;
  std::vector<float>& residual = data[1].values;
  const std::vector<float>& w = data[2].values;
  const auto width = size_t(hidden);
  for (size_t row = 0; row < size_t(tokens) * width; row += width) {
    double squares = 0;
    for (size_t i = 0; i < width; ++i) {
      residual[row + i] += x[row + i];
      squares += double(residual[row + i]) * double(residual[row + i]);
    }
    const double scale = 1 / std::sqrt(squares / double(width) + kEpsilon);
    for (size_t i = 0; i < width; ++i)
      data[3].values[row + i] = float(double(residual[row + i]) * scale * double(w[i]));
  }
}

}  // namespace perfatlas
