// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/phase_points.h"

namespace perfatlas::aic {

PointList phase_points(const TableRows& rows, const TableFields& fields, std::span<const uint32_t> numbers,
                       const PhaseColumns& columns, bool context) {
  PointList points(rows);
  for (const uint32_t row : numbers) {
    const int64_t n = fields(row, columns.heads), b = fields(row, columns.batch),
                  s = fields(row, columns.isl);
    points.add(context ? Coordinates{n, s, b} : Coordinates{n, b, s + fields(row, columns.step)}, row);
  }
  return points;
}

}  // namespace perfatlas::aic
