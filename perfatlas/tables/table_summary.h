// SPDX-License-Identifier: Apache-2.0
// What a table holds, for people: ranges, holes, provenance.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "perfatlas/tables/table_rows.h"

namespace perfatlas {

struct AxisSummary {
  std::string name;
  int64_t lowest = 0, highest = 0;
  size_t values = 0;  // distinct ones
};

struct FieldSummary {
  std::string column;
  std::vector<std::string> values;  // texts, sorted; of a field with many only kMostListed
  size_t count = 0;                 // distinct ones
  static constexpr size_t kMostListed = 12;
};

struct TableSummary {
  std::string op;
  size_t rows = 0;
  size_t slices = 0;
  /// Points that a full grid of each slice's own axis values would have and the slice has not. Nothing for tables
  /// whose sites are scattered (Resolver::sites): they have no grid.
  std::optional<size_t> holes;
  std::vector<AxisSummary> axes;
  std::vector<FieldSummary> fields;  // exact ones
  std::vector<std::string> kernels;  // sorted
  std::vector<RowSource> sources;
};

/// Takes milliseconds per hundred thousand rows.
TableSummary summarise(const TableRows& rows);

}  // namespace perfatlas
