// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/collection_contents.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/collect/shard.h"
#include "perfatlas/collect/supervisor.h"
#include "perfatlas/store/layout.h"

namespace perfatlas {
namespace {

const OpType* op_of_table(const OpRegistry& ops, std::string_view table) {
  for (const auto& op : ops.ops())
    if (op->info.table == table) return op.get();
  return nullptr;
}

/// Staging tables of known ops; other text files (logs, notes) are not looked at.
std::vector<std::pair<const OpType*, std::string>> staging_tables(const std::string& folder,
                                                                  const OpRegistry& ops) {
  std::vector<std::pair<const OpType*, std::string>> found;
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  if (error) throw UsageError(fmt::format("{}: cannot be read: {}", folder, error.message()));
  for (const auto& entry : entries) {
    const auto table = table_file_of(entry.path().string());
    if (!table || table->format != TableFormat::csv) continue;
    if (const OpType* op = op_of_table(ops, table->table)) found.emplace_back(op, table->path);
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return found;
}

}  // namespace

CollectionFiles collection_files(const std::vector<std::string>& folders, const OpRegistry& ops) {
  CollectionFiles files;
  for (const std::string& folder : std::set<std::string>(folders.begin(), folders.end())) {
    const auto staged = staging_tables(folder, ops);
    if (journal_files(folder).empty() && staged.empty())
      throw Error(fmt::format(
          "{} holds neither a journal nor a staging table; name the --out folder of a collection", folder));
    files.staging.insert(files.staging.end(), staged.begin(), staged.end());
  }
  files.journals = journal_files(folders);
  return files;
}

bool plan_complete(const std::vector<RunRecord>& runs, const std::map<std::string, EndRecord>& ends,
                   const std::map<std::string, uint64_t>& decided_by_run) {
  if (runs.empty()) return false;
  const uint64_t plan = runs.back().plan_hash;
  const uint64_t shards = parse_shard(runs.back().shard).count;
  uint64_t decided = 0;
  std::map<std::string, bool> ended;  // shard -> its newest run ended as complete
  for (const RunRecord& run : runs) {
    if (run.plan_hash != plan) continue;
    if (const auto of_run = decided_by_run.find(run.run_id); of_run != decided_by_run.end())
      decided += of_run->second;
    const auto end = ends.find(run.run_id);
    if (parse_shard(run.shard).pieces == 1)
      ended[run.shard] = end != ends.end() && (end->second.why == name_of(EndReason::complete) ||
                                               end->second.why == name_of(EndReason::target));
  }
  if (ended.size() == shards &&
      std::all_of(ended.begin(), ended.end(), [](const auto& e) { return e.second; }))
    return true;
  // Shards that others finished in pieces: every case counts, whoever decided it.
  return runs.back().plan_total > 0 && decided >= runs.back().plan_total;
}

namespace {

/// Puts cells into a text, one after the other, so that no two lists of cells give the same.
struct CellAppender {
  std::string& text;

  template <class T>
  void bytes_of(const T& value) const {
    text.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void operator()(std::monostate) const {}
  void operator()(const std::string& value) const {
    bytes_of(value.size());
    text += value;
  }
  template <class T>
  void operator()(const T& value) const {
    bytes_of(value);
  }
};

}  // namespace

ContentHashes::ContentHashes(const OpType& op) : op_(hash64(op.info.id)), columns_(table_columns(op)) {}

uint64_t ContentHashes::of(const Row& row) const {
  std::string text;
  for (const TableColumn& column : columns_) {
    const Cell cell = column.get(row, column.index);
    text += char(cell.index());
    std::visit(CellAppender{text}, cell);
  }
  return combine_hashes(hash64(text), op_);
}

}  // namespace perfatlas
