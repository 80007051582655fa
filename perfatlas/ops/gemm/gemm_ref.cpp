// SPDX-License-Identifier: Apache-2.0
// Naive product in double precision; judges every kernel's numbers.
#include "perfatlas/ops/gemm/gemm.h"

namespace perfatlas {

void Gemm::reference(std::vector<HostOperand>& data) const {
  const std::vector<float>& a = data[0].values;
  const std::vector<float>& w = data[1].values;
  std::vector<float>& d = data[2].values;
  const auto rows = size_t(m), cols = size_t(n), depth = size_t(k);
  for (size_t row = 0; row < rows; ++row)
    for (size_t col = 0; col < cols; ++col) {
      double sum = 0;
      for (size_t i = 0; i < depth; ++i) sum += double(a[row * depth + i]) * double(w[col * depth + i]);
      d[row * cols + col] = float(sum);
    }
}

}  // namespace perfatlas
