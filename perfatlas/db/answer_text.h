// SPDX-License-Identifier: Apache-2.0
// Answers for people and for machines.
#pragma once

#include <string>

#include "perfatlas/db/answer.h"
#include "perfatlas/schema/op_type.h"

namespace perfatlas {

/// Several lines, each ended by "\n": the case, latency with error bar, energy, source, place, speed of light,
/// supporting rows, notes.
std::string answer_text(const Case& asked, const Answer& answer);

/// One JSON object without a newline: op, fields, and the members of Answer by name; unknown values are null.
std::string answer_json(const Case& asked, const Answer& answer);

}  // namespace perfatlas
