// SPDX-License-Identifier: Apache-2.0
// A speed of light as a polynomial: most ops' work is one in each axis (products of sizes, squares of sequence
// lengths), and a few multiplications take a tenth of the time that the op's own declaration takes.
#pragma once

#include <array>
#include <span>

#include "perfatlas/interp/atlas_law.h"

namespace perfatlas {

/// `law` as a polynomial of at most degree 2 per axis when it is one, else `law` itself. It counts as one when both
/// parts agree to 1e-9 at places of the box from `low` to `high` and up to 64 times beyond it; work that bends only
/// farther out would not be noticed.
/// REQUIRES: law is not empty; integer positions suffice (it is asked at no others); 0 <= low <= high.
SolLaw as_polynomial(SolLaw law, size_t axes, const std::array<double, kMaxAxes>& low,
                     const std::array<double, kMaxAxes>& high);

/// Along which axes (bits) both parts of `law` are straight lines wherever the other axes are: they need not be asked
/// between or beyond two places that are known. The same box and the same agreement as above, fewer places.
/// REQUIRES: as as_polynomial.
uint8_t straight_axes(const SolLaw& law, size_t axes, const std::array<double, kMaxAxes>& low,
                      const std::array<double, kMaxAxes>& high);

/// `law` came from as_polynomial and is one: asking it costs some ten nanoseconds.
bool is_polynomial(const SolLaw& law);

}  // namespace perfatlas
