// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/store/schema_lock.h"

#include <fmt/format.h>

#include <map>

#include "perfatlas/base/text.h"
#include "perfatlas/store/table_columns.h"

namespace perfatlas {
namespace {

constexpr std::string_view kHeader =
    "# The columns of every table. A change needs a new revision of the op and\n"
    "# `perfatlas-schema-lock --update data/schema.lock`.\n";

std::string lock_of(const OpType& op) {
  std::string text = fmt::format("op {} revision {} table {}\n", op.info.id, op.info.revision, op.info.table);
  for (const TableColumn& column : table_columns(op))
    text += fmt::format("  {} {}\n", column.name, name_of(column.type));
  return text;
}

struct LockedOp {
  int64_t revision = 0;
  std::string text;  // its lines
};

std::map<std::string, LockedOp> parse_lock(std::string_view locked) {
  std::map<std::string, LockedOp> found;
  LockedOp* current = nullptr;
  for (const std::string_view line : split(locked, '\n')) {
    if (line.empty() || line.starts_with('#')) continue;
    const auto words = split(line, ' ');
    if (words[0] == "op" && words.size() == 6) {
      current = &found[std::string(words[1])];
      current->revision = parse_integer(words[3]).value_or(0);
    }
    if (current != nullptr) current->text += fmt::format("{}\n", line);
  }
  return found;
}

}  // namespace

std::string schema_lock_text(const OpRegistry& ops) {
  std::string text(kHeader);
  for (const auto& op : ops.ops()) text += lock_of(*op);
  return text;
}

SchemaLockProblems compare_schema_lock(const OpRegistry& ops, std::string_view locked) {
  SchemaLockProblems problems;
  std::map<std::string, LockedOp> old = parse_lock(locked);
  for (const auto& op : ops.ops()) {
    const auto at = old.find(std::string(op->info.id));
    if (at == old.end()) {
      problems.stale.push_back(fmt::format("op {} is not in the lock yet", op->info.id));
      continue;
    }
    if (at->second.revision > op->info.revision)
      problems.breaking.push_back(fmt::format("op {} went back from revision {} to {}", op->info.id,
                                              at->second.revision, op->info.revision));
    else if (at->second.revision < op->info.revision)
      problems.stale.push_back(fmt::format("op {} has a new revision {}", op->info.id, op->info.revision));
    else if (at->second.text != lock_of(*op))
      problems.breaking.push_back(fmt::format("op {}: the columns changed but revision {} did not; raise it",
                                              op->info.id, op->info.revision));
    old.erase(at);
  }
  for (const auto& [id, gone] : old) problems.stale.push_back(fmt::format("op {} is gone", id));
  if (problems.breaking.empty() && problems.stale.empty() && locked != schema_lock_text(ops))
    problems.stale.push_back("the order of ops or the head of the file differs");
  return problems;
}

}  // namespace perfatlas
