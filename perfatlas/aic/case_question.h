// SPDX-License-Identifier: Apache-2.0
// A row's key as a question: what the engine says where an op was, or could have been, measured.
#pragma once

#include <optional>

#include "perfatlas/aic/op.h"
#include "perfatlas/aic/phase_point.h"
#include "perfatlas/schema/op_type.h"

namespace perfatlas::aic {

struct CaseQuestion {
  Op op;
  PhasePoint at;
};

/// The op and the point whose price stands beside the rows of a case: a layer on one rank, in the phase of the table.
/// Nothing for ops that models only have as a part of another one (quantisation, the kernels inside sparse attention),
/// or whose table leaves out fields that the engine needs. Throws UsageError for a type that the engine does not know.
std::optional<CaseQuestion> question_of(const Case& asked);

}  // namespace perfatlas::aic
