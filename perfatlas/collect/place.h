// SPDX-License-Identifier: Apache-2.0
// Puts measured rows into the database: any set of collection folders into DATA/{system}/{backend}/{version}/.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "perfatlas/collect/journal.h"
#include "perfatlas/store/layout.h"

namespace perfatlas {

struct PlaceRequest {
  std::vector<std::string> collections;       // folders of collections
  std::string data_root;                      // created when missing
  std::string system;                         // folder name of the machine
  TableFormat format = TableFormat::parquet;  // of new tables; an existing table keeps its own
  /// Called before each file is replaced, with its path; an Error it throws stops there. Tests stop at every step.
  std::function<void(const std::string& path)> before_write;
};

/// What became of one table.
struct PlacedTable {
  std::string table, backend, version;
  std::string path;
  size_t rows = 0;       // in the table now
  size_t added = 0;      // of identities it did not have before
  size_t replaced = 0;   // of identities whose newest measurement is new
  size_t history = 0;    // superseded measurements kept in history/<table>
  bool changed = false;  // false: everything was there already and no file was written
  /// One line: a case that one run has with two latencies, of which nobody knows which is newer; the last row counts.
  /// Empty: there is none.
  std::string contradiction = {};
};

struct PlaceReport {
  std::vector<PlacedTable> tables;
  std::vector<DamagedLine> damaged;  // journal lines that were not records
  size_t plans = 1;                  // that the placed runs followed
  bool complete = false;             // every planned case is decided; else the sidecar says "partial"

  std::string text() const;
  std::string json() const;
};

/// Merges. Of the measurements of one row identity (store/row.h) the newest run's last one stands in the table, the
/// others in history/ beside it; other rows of an existing table stay. Placing the same again changes nothing.
/// Every file is replaced atomically, in the order history, table, sidecar, so that whatever stops it and whenever, a
/// table is the old one or the new one and no measurement is lost. The newest system.json goes to DATA/{system}/.
/// Throws UsageError for a bad system name; Error for a folder without a collection, nothing measured, a backend or
/// version that is no folder name, a damaged existing table, a read-only or full target, or a place already going on.
PlaceReport place(const OpRegistry& ops, const PlaceRequest& request);

}  // namespace perfatlas
