// SPDX-License-Identifier: Apache-2.0
// Rows of attention tables as points.
#pragma once

#include <span>

#include "perfatlas/aic/surface.h"
#include "perfatlas/aic/table_fields.h"

namespace perfatlas::aic {

/// Columns, as positions in a TableFields.
struct PhaseColumns {
  size_t heads = 0, batch = 0, isl = 0, step = 0;
};

/// Over (heads, isl, batch) in context and (heads, batch, isl + step) in generation. `fields` are those of `rows`.
PointList phase_points(const TableRows& rows, const TableFields& fields, std::span<const uint32_t> numbers,
                       const PhaseColumns& columns, bool context);

}  // namespace perfatlas::aic
