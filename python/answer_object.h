// SPDX-License-Identifier: Apache-2.0
// Answers for Python.
#pragma once

#include <pybind11/pybind11.h>

#include <vector>

#include "perfatlas/db/answer.h"

namespace perfatlas {

/// {"latency_ms", "energy_mj", "rel_error", "source", ...}: the members of Answer; unknown values are None.
pybind11::dict answer_object(const Answer& answer);

/// {"latency_ms", "energy_mj", "rel_error", "sol_ms": arrays with nan where unknown or without an answer, "source":
/// array of texts, "miss_reason": list of texts, empty where there is an answer}, in `shape`.
/// REQUIRES: as many answers as the shape has places, in C order.
pybind11::dict answer_arrays(const std::vector<Answer>& answers, const std::vector<pybind11::ssize_t>& shape);

}  // namespace perfatlas
