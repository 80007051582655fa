// SPDX-License-Identifier: Apache-2.0
// Tables that say two things of one case: which counts is the op's rule (TableMerge::Repeats), that there are two is
// told.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/tables/root_source.h"

namespace perfatlas {

/// Of each table file of a system the first such case, and how many more there are (store/contradiction_text.h). Reads
/// all tables, best after RootSource::index, which names what cannot be read.
std::vector<TableProblem> contradictions(const RootSource& root, std::string_view system);

/// The same of one row, if another one contradicts it.
std::optional<std::string> contradiction_of(const TableRows& rows, size_t row);

}  // namespace perfatlas
