// SPDX-License-Identifier: Apache-2.0
// "How long would this take": answers from the placed tables of a data folder.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/db/answer.h"
#include "perfatlas/db/table.h"
#include "perfatlas/store/layout.h"

namespace perfatlas {

struct QueryOptions {
  std::string system;                     // may be empty when the data folder has only one
  std::string backend;                    // may be empty when only one back end has the op's table
  std::string version;                    // empty: the latest that has the op's table (store/version_order.h)
  std::string kernel;                     // empty: the fastest kernel at each point
  std::optional<CacheState> cache_state;  // empty: serving, else rows that do not say
  Engine engine = Engine::atlas;
  bool allow_sol = false;  // on a miss, answer the speed of light when the machine is known
};

/// Opens tables when they are first asked for and keeps them. Not for several threads at once.
class Database {
 public:
  /// `root`: a data folder (store/layout.h). Throws Error when it cannot be read.
  explicit Database(std::string root);

  /// A miss is an answer with a reason. Throws UsageError for an unknown system, back end or version, naming what
  /// is known, and for a case that makes no sense; Error when a table cannot be read.
  /// REQUIRES: the case's op outlives the database.
  Answer query(const Case& asked, const QueryOptions& options);

  /// Systems with tables or with a description, sorted.
  const std::vector<std::string>& systems() const { return systems_; }

 private:
  const std::string& choose_system(const std::string& asked) const;
  const SystemSpec* system_spec(const std::string& system);
  OpTable& table(const OpType& op, const TableFile& file, const std::string& system);
  void answer_from_table(Answer& answer, OpTable& rows, const Case& asked, const QueryOptions& options);
  void answer_speed_of_light(Answer& answer, const Case& asked, const QueryOptions& options);

  std::string root_;
  std::vector<TableFolder> folders_;
  std::vector<std::string> systems_;
  std::map<std::string, std::unique_ptr<const SystemSpec>>
      specs_;                                               // by system; null: there is no description
  std::map<std::string, std::unique_ptr<OpTable>> tables_;  // by path and op
};

}  // namespace perfatlas
