// SPDX-License-Identifier: Apache-2.0
// The staging tables of a collection folder: <table>.txt, made from its journals.
#pragma once

#include <string>
#include <vector>

#include "perfatlas/collect/journal.h"

namespace perfatlas {

/// Writes one table per op with measured records in any journal of the folder, each replaced atomically. Of each row
/// identity (row_identity) the newest record counts. Streams the journals twice; memory: 16 bytes per row.
/// Returns the paths written. Throws Error; tables not yet written then keep their old content.
std::vector<std::string> write_staging_tables(const std::string& folder, const OpRegistry& ops);

/// Removes temporary files of runs that were killed while they wrote a table. REQUIRES: the folder is locked.
void remove_unfinished_files(const std::string& folder);

/// The staging table of an op.
std::string staging_path(const std::string& folder, const OpType& op);

/// Every table exists and is no older than the newest journal.
bool staging_up_to_date(const std::string& folder, const std::vector<const OpType*>& ops_with_rows);

}  // namespace perfatlas
