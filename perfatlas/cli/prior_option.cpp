// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/prior_option.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/base/text.h"
#include "perfatlas/collect/collection_contents.h"
#include "perfatlas/store/collection_meta.h"
#include "perfatlas/store/layout.h"

namespace perfatlas {
namespace {

std::vector<TableFolder> folders_named(const std::string& data_root, const std::string& name) {
  const auto parts = split(name, '/');
  if (parts.size() != 3)
    throw UsageError(
        fmt::format("--prior '{}' is not SYSTEM/BACKEND/VERSION, for example my_xeon/onednn/2023.2.0", name));
  std::vector<TableFolder> all = list_table_folders(data_root);
  std::erase_if(all, [&](const TableFolder& f) {
    return f.system != parts[0] || f.backend != parts[1] || f.version != parts[2];
  });
  if (all.empty())
    throw UsageError(
        fmt::format("--prior {}: {} has no such tables; give their folder with --data", name, data_root));
  return all;
}

void require_revision(const OpType& op, const TableFolder& folder) {
  const auto meta = read_collection_meta(folder.path);
  if (!meta) return;
  const auto table = meta->tables.find(std::string(op.info.table));
  if (table == meta->tables.end() || !table->second.op_revision) return;
  if (*table->second.op_revision != op.info.revision)
    throw UsageError(
        fmt::format("--prior {}: its {} is of revision {} of op {}, this perfatlas measures revision {}: its "
                    "rows mean something "
                    "else; leave the op out or the prior",
                    folder.path, op.info.table, *table->second.op_revision, op.info.id, op.info.revision));
}

/// Serving rows first; of rows with equal fields the fastest.
std::vector<SlicePoint> points_of(const std::vector<Row>& rows) {
  std::map<FieldValues, double> fastest;
  for (const Row& row : rows) {
    if (row.quality && row.quality->cache_state != CacheState::serving) continue;
    const auto [at, is_new] = fastest.try_emplace(row.c.values, latency_ms(row));
    if (!is_new) at->second = std::min(at->second, latency_ms(row));
  }
  std::vector<SlicePoint> points;
  for (const auto& [values, latency] : fastest)
    if (latency > 0) points.push_back({values, latency, std::nullopt});
  return points;
}

}  // namespace

LoadedPrior load_prior(const std::string& data_root, const std::string& name,
                       const std::vector<const OpType*>& ops) {
  LoadedPrior prior;
  const std::vector<TableFolder> folders = folders_named(data_root, name);
  const std::string description = system_description_path(data_root, folders[0].system);
  if (file_exists(description))
    prior.system = std::make_shared<const SystemSpec>(read_system_spec(description));
  for (const TableFolder& folder : folders)
    for (const TableFile& file : list_tables(folder))
      for (const OpType* op : ops) {
        if (op->info.table != file.table) continue;
        require_revision(*op, folder);
        const std::vector<SlicePoint> points = points_of(read_table(*op, file));
        if (!points.empty())
          prior.tables[std::string(op->info.id)] = std::make_shared<const PriorTable>(
              *op, points, SolContext{prior.system.get(), CacheState::serving});
      }
  if (prior.tables.empty())
    throw UsageError(fmt::format("--prior {}: it has a table of none of the planned ops", name));
  return prior;
}

std::string prior_changes_text(const LoadedPrior& prior, const std::string& folder, const OpRegistry& ops) {
  std::map<const OpType*, std::vector<Row>> rows;
  read_journals(journal_files(folder), ops, [&](JournalRecord&& record) {
    auto* const c = std::get_if<CaseRecord>(&record);
    if (c != nullptr && c->row) rows[c->row->c.op].push_back(std::move(*c->row));
  });
  std::string text;
  for (const auto& [id, table] : prior.tables) {
    const OpType& op = ops.get(id);
    const auto own = rows.find(&op);
    if (own == rows.end()) continue;
    for (const PriorChange& change : changes_since(op, *table, points_of(own->second)))
      text += fmt::format(
          "{} against the prior: {} points, {:.0f} % unchanged within 5 %; median x {:.3f}, the rest p90 "
          "{:.1f} %\n",
          change.family, change.points, 100 * change.unchanged_share, change.median_ratio,
          100 * change.rest_p90);
  }
  return text;
}

}  // namespace perfatlas
