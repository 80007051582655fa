// SPDX-License-Identifier: Apache-2.0
// Naive product in double precision; judges every kernel's numbers.
#include <algorithm>

#include "perfatlas/ops/gemm/gemm.h"

namespace perfatlas {
namespace {

/// Elements of the depth that share a weight scale.
size_t scale_group(const Gemm& gemm) { return size_t(gemm.dtype == Quant::int4_wo ? kInt4Group : gemm.k); }

bool has_scales(Quant quant) {
  return quant == Quant::int8 || quant == Quant::int8_wo || quant == Quant::int4_wo;
}

double dot(const float* a, const float* w, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += double(a[i]) * double(w[i]);
  return sum;
}

}  // namespace

void Gemm::reference(std::vector<HostOperand>& data) const {
  const auto rows = size_t(m), cols = size_t(n), depth = size_t(k);
  const size_t group = scale_group(*this), groups = (depth + group - 1) / group;
  const double common = dtype == Quant::int8 ? data[3].values[0] : 1;
  for (size_t row = 0; row < rows; ++row)
    for (size_t col = 0; col < cols; ++col) {
      double sum = 0;
      for (size_t g = 0; g < groups; ++g) {
        const size_t first = g * group, count = std::min(group, depth - first);
        const double scale = has_scales(dtype) ? common * data.back().values[col * groups + g] : 1;
        sum += scale * dot(&data[0].values[row * depth + first], &data[1].values[col * depth + first], count);
      }
      data[2].values[row * cols + col] = float(sum);
    }
}

}  // namespace perfatlas
