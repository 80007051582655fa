// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_gemm.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

/// Silicon: sites (n, k) with curves over m; latencies below the speed of light are raised to it when the table is
/// read. Empirical: the mode's own points; else those of the first mode with the same bytes and speed (xquant); else of
/// the most similar mode that has points, its utilisation scaled by what such kernels usually reach (xprofile).
/// Speed of light: 2 m n k operations; (m n + m k + n k) elements of the mode's bytes, output included.
/// fp8_static: the fp8 product less the cost of finding and applying scales, at least its speed of light.
std::unique_ptr<const Pricer> bind(const Gemm& op, const Binding& binding);

}  // namespace perfatlas::aic
