// SPDX-License-Identifier: Apache-2.0
// Parts of an answer from a table, whichever engine made it.
#pragma once

#include <span>

#include "perfatlas/db/answer.h"
#include "perfatlas/db/table.h"

namespace perfatlas {

inline constexpr const char* kNotDescribed =
    "the machine is not described, so nothing is answered beyond the measured cases";

AnswerSource source_of(EstimateKind kind);

/// The rows behind an answer, their kernels, and what a reader should know of them.
void add_supporting_rows(Answer& answer, const TableSlice& slice, std::span<const Support> support);

/// "m=512 n=4096 k=4096": the fields on the axes.
std::string axes_text(const OpType& op, const FieldValues& values);

/// Latency, energy, source, intervals and flags of an estimate that is no miss; rel_error only where nothing was
/// measured.
void add_estimate(Answer& answer, const AtlasEstimate& e);

/// Octaves to the nearest of `rows`; 0 when there are none.
double distance_to(const OpType& op, const FieldValues& values, std::span<const FieldValues> rows);

/// "k=8; measured there: 4 and 16": the first exact field of a case whose value, together with those before it, no
/// prototype has, and the values that some have. Empty when a prototype agrees in all.
std::string missing_field(const OpType& op, const FieldValues& values,
                          std::span<const FieldValues> prototypes);

/// The answer of the engine atlas, all but the place. A miss has a reason.
void answer_by_atlas(Answer& answer, OpTable& rows, const TableSlice& slice, const Case& asked,
                     std::string_view kernel);

}  // namespace perfatlas
