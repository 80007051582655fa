// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/estimate.h"

#include <cmath>

#include "perfatlas/interp/log_axis_impl.h"

namespace perfatlas {

std::string_view name_of(EstimateKind kind) {
  switch (kind) {
    case EstimateKind::miss:
      return "miss";
    case EstimateKind::exact:
      return "exact";
    case EstimateKind::interpolated:
      return "interpolated";
    case EstimateKind::held:
      return "held";
  }
  return {};
}

double octaves_between(const Coordinates& a, const Coordinates& b, size_t axes) {
  double squares = 0;
  for (size_t i = 0; i < axes; ++i) {
    if (a[i] == b[i]) continue;
    const double step = octave_of(a[i]) - octave_of(b[i]);
    squares += step * step;
  }
  return std::sqrt(squares);
}

}  // namespace perfatlas
