// SPDX-License-Identifier: Apache-2.0
// What is wrong with published data beyond files that cannot be read.
#pragma once

#include <string_view>
#include <vector>

#include "perfatlas/tables/root_source.h"

namespace perfatlas {

/// Problems of one system: a description that cannot be read; a collection_meta.yaml or reuse.yaml that cannot be read;
/// one that speaks of another number of rows than a table has, lists tables of which none is there (a folder copied in
/// part), or borrows from a version that has no such table; a peak that the description lacks although tables have
/// rows of its type. Tables that cannot be read are left to RootSource::index. Reads all tables, best after index().
std::vector<TableProblem> check_system(const RootSource& root, std::string_view system);

/// Tables of a version that a collection_meta.yaml lists and that are not in its folder: left out by whoever published
/// it, or lost in copying, which only the reader can tell. Throws Error when such a file cannot be read.
/// REQUIRES: root.describes(request.system).
std::vector<TableProblem> listed_but_absent(const RootSource& root, const TableRequest& request);

}  // namespace perfatlas
