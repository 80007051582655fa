// SPDX-License-Identifier: Apache-2.0
// Placed tables as aiconfigurator 0.12 reads them: a folder for its option --systems-paths.
//
//   OUT/{system}.yaml                                   the description
//   OUT/data/{system}/{backend}/{version}/*.parquet     the tables, under the back end and version they stand in for
//   OUT/data/{system}/nccl/{library version}/nccl_perf.parquet
//   collection_meta.yaml in each folder, and the ATTRIBUTION, LICENSE and NOTICE files that lie beside the sources
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "perfatlas/exchange/aic_description.h"
#include "perfatlas/exchange/aic_rows.h"
#include "perfatlas/schema/registry.h"

namespace perfatlas {

struct AicExportRequest {
  std::string data_root;               // placed tables (store/layout.h)
  std::string system;                  // in data_root, and the name in OUT
  std::vector<std::string> backends;   // whose tables; empty: all that the system has
  std::string as_backend, as_version;  // what aiconfigurator takes the tables for: "vllm", "0.24.0"
  std::string out;                     // created when missing
  AicRowRules rules;
  AicDescriptionGiven given;
};

struct AicExportedTable {
  std::string table;                        // stem of the source
  std::string backend, version;             // of the source
  std::string path;                         // in OUT; empty: nothing of it was written
  int64_t rows = 0;                         // written
  std::map<std::string, int64_t> left_out;  // reason -> rows
};

struct AicExportReport {
  std::string description_path;
  std::vector<AicExportedTable> tables;
  std::string text() const;
  std::string json() const;
};

/// Of each back end the latest version counts. Throws UsageError for a system, back end or name that does not exist or
/// is no folder name, two back ends with one table, and figures that have to be given; Error for an unreadable table, a
/// missing Parquet plug-in, an OUT that has the system already, and when no table has a row for aiconfigurator.
AicExportReport export_for_aic(const OpRegistry& ops, const AicExportRequest& request);

}  // namespace perfatlas
