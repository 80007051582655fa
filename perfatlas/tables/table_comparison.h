// SPDX-License-Identifier: Apache-2.0
// Own tables beside those of a published system: how far the kernels and methods of both are apart.
#pragma once

#include <string>
#include <vector>

#include "perfatlas/schema/registry.h"
#include "perfatlas/tables/data_folder.h"

namespace perfatlas {

/// The fastest rows of one op in a table of the first folder over those of a table of the second, on the keys that both
/// have, whatever their kernels.
struct TableComparison {
  std::string op;
  std::string first, second;              // "system/backend/version"
  size_t keys = 0;                        // in both; the figures below are 0 and empty when there are none
  double p10 = 0, p50 = 0, p90 = 0;       // of latency in the first over that in the second
  double lowest = 0, highest = 0;         // the same of single rows
  std::string lowest_case, highest_case;  // which those are (case_text)
  std::string problem;                    // why a file could not be compared; empty: it was
};

struct ComparisonOptions {
  std::string system;  // of the second folder
  std::string op;      // empty: all
};

/// Every table of the first folder beside every table of that system in the second that holds the same op. Sorted by
/// op, then by the tables. Throws UsageError when the second folder has no tables of the system.
std::vector<TableComparison> compare_with_system(const DataFolder& first, const DataFolder& second,
                                                 const OpRegistry& ops, const ComparisonOptions& options);

}  // namespace perfatlas
