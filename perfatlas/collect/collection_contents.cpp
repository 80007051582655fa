// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/collection_contents.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>
#include <unordered_map>
#include <unordered_set>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/collect/shard.h"
#include "perfatlas/collect/supervisor.h"
#include "perfatlas/store/csv.h"
#include "perfatlas/store/layout.h"

namespace perfatlas {
namespace {

/// Takes blocks of records in order, oldest journal first.
class Gatherer {
 public:
  Gatherer(const OpRegistry& ops, CollectionContents& into) : ops_(ops), into_(into) {}

  void take(JournalBlock&& block) {
    if (block.begins_file) current_ = {.run_id = run_id_of_file(block.path)};
    for (JournalRecord& record : block.records) {
      ++sequence_;
      std::visit([this](auto& r) { take_one(std::move(r)); }, record);
    }
  }

 private:
  void take_one(const RunRecord& run) {
    if (runs_.insert(run.run_id).second) into_.runs.push_back(run);
    current_ = run;
  }
  void take_one(CaseRecord&& record) {
    const Case c = record.row ? record.row->c : ops_.parse_case(record.case_text);
    const uint64_t key = key_of(record);
    const auto [at, is_new] = outcome_of_key_.try_emplace(key, into_.outcomes.size());
    if (is_new) into_.outcomes.emplace_back();
    into_.outcomes[at->second] = {c,
                                  std::move(record.backend),
                                  record.row ? record.row->version : current_.backend_version,
                                  std::move(record.kernel),
                                  record.cache,
                                  record.outcome,
                                  record.final,
                                  std::move(record.reason),
                                  std::move(record.repro),
                                  current_.run_id};
    if (record.row)
      into_.rows.push_back({std::move(*record.row), current_.run_id, sequence_, record.suspect});
  }
  void take_one(const RerunRecord& record) { into_.reruns.push_back(record); }
  void take_one(const BreakerRecord& record) { into_.breakers.push_back(record); }
  void take_one(const AuditRecord&) {}  // follows from the cases: see audited_families.h
  void take_one(const EndRecord& record) { into_.ends[current_.run_id] = record; }

  const OpRegistry& ops_;
  CollectionContents& into_;
  RunRecord current_;
  uint64_t sequence_ = 0;
  std::set<std::string> runs_;
  std::unordered_map<uint64_t, size_t> outcome_of_key_;
};

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

void add_staging_rows(const std::vector<std::pair<const OpType*, std::string>>& tables,
                      CollectionContents& into) {
  std::unordered_set<uint64_t> seen;
  std::map<const OpType*, ContentHashes> hashes;
  const auto hash_of = [&](const Row& row) {
    return hashes.try_emplace(row.c.op, *row.c.op).first->second.of(row);
  };
  if (!tables.empty())
    for (const MeasuredRow& measured : into.rows) seen.insert(hash_of(measured.row));
  for (const auto& [op, path] : tables)
    for (Row& row : read_csv_table(*op, path))
      if (seen.insert(hash_of(row)).second) {
        std::string run_id = row.quality ? row.quality->run_id : "";
        into.rows.push_back({std::move(row), std::move(run_id), 0, false});
      }
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

CollectionContents read_collections(const std::vector<std::string>& folders, const OpRegistry& ops) {
  CollectionContents contents;
  const CollectionFiles files = collection_files(folders, ops);
  Gatherer gatherer(ops, contents);
  contents.damaged = read_journal_blocks(files.journals, ops,
                                         [&](JournalBlock&& block) { gatherer.take(std::move(block)); });
  add_staging_rows(files.staging, contents);
  return contents;
}

bool CollectionContents::complete() const {
  std::map<std::string, uint64_t> decided;
  for (const CaseOutcome& o : outcomes)
    if (o.final) ++decided[o.run_id];
  return plan_complete(runs, ends, decided);
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
