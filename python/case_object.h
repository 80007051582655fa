// SPDX-License-Identifier: Apache-2.0
// Ops from Python: one case, or arrays of cases.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <vector>

#include "perfatlas/schema/op_type.h"

namespace perfatlas {

/// The declaration as Python sees it: {"id", "doc", "fields": [{"name", "column", "doc", "kind", "default",
/// "choices"}]}. Names are the flags of the command line.
pybind11::dict declaration_object(const OpType& op);

/// A case from {name: value}; values are integers, booleans or texts. Throws UsageError naming the field.
Case case_of(const OpType& op, const pybind11::dict& fields);

/// True when some value is an array of numpy.
bool has_arrays(const pybind11::dict& fields);

/// Cases from {name: value or array of integers}; arrays are broadcast against each other.
struct CaseArray {
  std::vector<Case> cases;  // in C order
  std::vector<pybind11::ssize_t> shape;
};
CaseArray cases_of(const OpType& op, const pybind11::dict& fields);

}  // namespace perfatlas
