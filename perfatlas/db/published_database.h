// SPDX-License-Identifier: Apache-2.0
// "How long would this take": answers of the engine "atlas" from published tables.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "perfatlas/db/atlas_table.h"
#include "perfatlas/db/database.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas {

/// Thread-safe: a table is loaded when it is first asked for; what AtlasTable answers needs no lock.
class PublishedDatabase {
 public:
  /// `calibrations`: the folder in which calibrations are kept (CalibrationStore); empty: none are.
  explicit PublishedDatabase(std::shared_ptr<const SystemsRoot> root,
                             std::string calibrations = default_table_cache())
      : root_(std::move(root)), calibrations_(std::move(calibrations)) {}

  /// A table of an op, never null; without slices when nothing was published. Throws as SystemsRoot::table_rows.
  std::shared_ptr<const AtlasTable> table(const OpType& op, const TableRequest& request);

  /// A miss is an answer with a reason: what is missing and what was measured. Where nothing of a slice was measured,
  /// similar slices answer. QueryOptions::version may be a slot (SystemsRoot::resolve_version); cache_state must be
  /// empty.
  /// Throws UsageError for unknown systems, back ends and versions, naming what is known, and for a case that makes no
  /// sense. REQUIRES: options.engine is atlas; the case's op outlives the database.
  Answer query(const Case& asked, const QueryOptions& options);

 private:
  struct Loaded {
    std::shared_ptr<const TableRows> rows;
    std::shared_ptr<const AtlasTable> table;
  };
  const Loaded& load(const OpType& op, const TableRequest& request);
  TableRequest place_of(const Case& asked, const QueryOptions& options) const;
  std::string kernel_of(const Case& asked, const TableRequest& place, const AtlasTable& table) const;
  void answer_from_slice(Answer& answer, const Loaded& loaded, uint32_t number, const Case& asked) const;
  void answer_from_similar(Answer& answer, const AtlasTable& table, const Case& asked) const;

  std::shared_ptr<const SystemsRoot> root_;
  CalibrationStore calibrations_;
  std::mutex mutex_;
  std::map<std::tuple<std::string, std::string, std::string, std::string>, Loaded> loaded_;
};

}  // namespace perfatlas
