// SPDX-License-Identifier: Apache-2.0
// The order in which files fill a table: primary, declared donors, earlier versions, siblings (table_source.h).
#pragma once

#include <span>
#include <vector>

#include "perfatlas/tables/reuse.h"
#include "perfatlas/tables/system_tables.h"
#include "perfatlas/tables/table_source.h"

namespace perfatlas {

/// Tables of this family describe links, not kernels: neither donors nor siblings fill them.
inline constexpr std::string_view kCommFamily = "comm";

/// The sources of `table`, each file once.
///   primary   always
///   donor     shared layer on, not for tables of the family comm
///   earlier   shared layer on; strictly older by PEP 440, nearest first; names that are no versions are skipped.
///             Tables of the family comm only within it, and not at all when another family has the table, too
///   sibling   shared layer on, not for tables of the family comm: for every kernel that `shared_kernels` lists for the
///             table and the back end, the other back ends by name, their versions newest first, rows of these kernels
/// `donors` are those of the requested version's folders, in their order.
std::vector<TableSource> resolve_sources(const SystemTables& tables, const TableRequest& request,
                                         std::string_view table, std::span<const TableDonor> donors,
                                         std::span<const SharedKernel> shared_kernels);

}  // namespace perfatlas
