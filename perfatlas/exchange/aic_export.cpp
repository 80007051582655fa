// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/exchange/aic_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/base/text.h"
#include "perfatlas/exchange/aic_vocabulary.h"
#include "perfatlas/store/collection_meta.h"
#include "perfatlas/store/layout.h"
#include "perfatlas/store/parquet.h"
#include "perfatlas/store/version_order.h"

namespace perfatlas {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCollectiveTable = "nccl_perf", kAllReduceTable = "custom_allreduce_perf",
                           kMessageTable = "p2p_perf";

/// One table of the data folder.
struct SourceTable {
  TableFolder folder;
  std::string stem;
  const OpType* op = nullptr;  // null: of no op of this program
  std::vector<Row> rows;       // empty without an op
};

/// One file to be written.
struct TargetTable {
  const SourceTable* source = nullptr;
  const OpType* op = nullptr;
  std::string folder;  // below OUT/data/{system}
  AicRows rows;
};

std::string names(const std::vector<std::string>& words) { return join_words({words.begin(), words.end()}); }

const OpType* op_of_table(const OpRegistry& ops, std::string_view stem) {
  for (const auto& op : ops.ops())
    if (op->info.table == stem) return op.get();
  return nullptr;
}

/// The folder of the latest version of each back end asked for.
std::vector<TableFolder> source_folders(const AicExportRequest& request) {
  std::map<std::string, TableFolder> latest;
  std::vector<std::string> systems;
  for (const TableFolder& folder : list_table_folders(request.data_root)) {
    if (systems.empty() || systems.back() != folder.system) systems.push_back(folder.system);
    if (folder.system != request.system || !folder.family.empty()) continue;
    const auto [place, is_new] = latest.try_emplace(folder.backend, folder);
    if (!is_new && older_version(place->second.version, folder.version)) place->second = folder;
  }
  if (latest.empty())
    throw UsageError(fmt::format("{}: there are no placed tables of system '{}'; known: {}",
                                 request.data_root, request.system,
                                 systems.empty() ? "none" : names(systems)));
  std::vector<TableFolder> folders;
  for (const auto& [backend, folder] : latest)
    if (request.backends.empty() || std::count(request.backends.begin(), request.backends.end(), backend) > 0)
      folders.push_back(folder);
  for (const std::string& asked : request.backends)
    if (!latest.contains(asked)) {
      std::vector<std::string> known;
      for (const auto& [backend, folder] : latest) known.push_back(backend);
      throw UsageError(fmt::format("{}: {} has no tables of back end '{}'; it has {}", request.data_root,
                                   request.system, asked, names(known)));
    }
  return folders;
}

std::vector<SourceTable> read_sources(const OpRegistry& ops, const std::vector<TableFolder>& folders) {
  std::vector<SourceTable> tables;
  for (const TableFolder& folder : folders)
    for (const TableFile& file : list_tables(folder)) {
      SourceTable table{folder, file.table, op_of_table(ops, file.table), {}};
      const auto twin = std::find_if(tables.begin(), tables.end(),
                                     [&](const SourceTable& other) { return other.stem == file.table; });
      if (twin != tables.end() && table.op != nullptr && aic_reads_table(table.op->published_table()))
        throw UsageError(fmt::format("{} is there of {} and of {}: say with --backend whose tables to export",
                                     file.table, twin->folder.backend, folder.backend));
      if (table.op != nullptr) table.rows = read_table(*table.op, file);
      tables.push_back(std::move(table));
    }
  return tables;
}

class AicExporter {
 public:
  AicExporter(const OpRegistry& ops, const AicExportRequest& request)
      : ops_(ops), request_(request), sources_(read_sources(ops, source_folders(request))) {}

  AicExportReport run() {
    for (const SourceTable& source : sources_) choose_target(source);
    add_all_reduces();
    if (targets_.empty()) throw Error(nothing_to_write());
    const std::string spec_path = system_description_path(request_.data_root, request_.system);
    SystemSpec spec = read_system_spec(spec_path);
    spec.system = request_.system;
    const std::string text =
        aic_description_yaml(describe_for_aic(spec, links(), request_.given, comm_version()));
    for (const TargetTable& target : targets_) write(target);
    write_sidecars();
    report_.description_path = fmt::format("{}/{}.yaml", request_.out, request_.system);
    replace_file(report_.description_path, text);  // last: a folder without it is no system
    return report_;
  }

 private:
  std::string data_folder() const { return fmt::format("{}/data/{}", request_.out, request_.system); }
  std::string framework_folder() const { return request_.as_backend + "/" + request_.as_version; }

  void choose_target(const SourceTable& source) {
    const auto leave_out = [&](std::string_view reason) {
      report_.tables.push_back({.table = source.stem,
                                .backend = source.folder.backend,
                                .version = source.folder.version,
                                .path = "",
                                .rows = 0,
                                .left_out = {{std::string(reason), int64_t(source.rows.size())}}});
    };
    if (source.op == nullptr) return leave_out("no op of this program has such a table");
    if (!aic_reads_table(source.op->published_table())) return leave_out("aiconfigurator has no such table");
    if (source.op->published_table() != source.op->info.table)
      return leave_out("aiconfigurator keeps such rows in the table of another op");
    const bool library = source.stem == kCollectiveTable;
    add_target({&source, source.op, library ? "nccl/" + source.folder.version : framework_folder(),
                rows_for_aic(*source.op, source.rows, request_.rules)});
  }

  void add_target(TargetTable target) {
    AicExportedTable table{.table = std::string(target.op->info.table),
                           .backend = target.source->folder.backend,
                           .version = target.source->folder.version,
                           .path = "",
                           .rows = int64_t(target.rows.rows.size()),
                           .left_out = target.rows.left_out};
    if (table.rows > 0)
      table.path =
          fmt::format("{}/{}/{}.parquet", data_folder(), target.folder, target.op->published_table());
    report_.tables.push_back(std::move(table));
    if (!target.rows.rows.empty()) targets_.push_back(std::move(target));
  }

  const SourceTable* source(std::string_view stem) const {
    const auto found = std::find_if(sources_.begin(), sources_.end(),
                                    [&](const SourceTable& table) { return table.stem == stem; });
    return found == sources_.end() ? nullptr : &*found;
  }

  /// Machines without an all_reduce kernel of a framework have that of the library.
  void add_all_reduces() {
    const SourceTable* const collective = source(kCollectiveTable);
    if (collective == nullptr || source(kAllReduceTable) != nullptr) return;
    const OpType* const op = op_of_table(ops_, kAllReduceTable);
    PERFATLAS_ASSERT(op != nullptr);
    const std::vector<Row> rows = all_reduces_of(*op, collective->rows);
    if (!rows.empty())
      add_target({collective, op, framework_folder(), rows_for_aic(*op, rows, request_.rules)});
  }

  std::string nothing_to_write() const {
    std::string reasons;
    for (const AicExportedTable& table : report_.tables)
      for (const auto& [reason, rows] : table.left_out)
        reasons += fmt::format("{}{} rows of {}: {}", reasons.empty() ? "" : "; ", rows, table.table, reason);
    return fmt::format("{}: no table of {} has a row for aiconfigurator ({})", request_.data_root,
                       request_.system, reasons);
  }

  MeasuredLinks links() const {
    for (const std::string_view stem : {kMessageTable, kCollectiveTable, kAllReduceTable})
      if (const SourceTable* const table = source(stem); table != nullptr && !table->rows.empty())
        return links_of(table->rows);
    return {};
  }

  std::string comm_version() const {
    const SourceTable* const table = source(kCollectiveTable);
    return table == nullptr ? "" : table->folder.version;
  }

  void write(const TargetTable& target) {
    const std::string folder = data_folder() + "/" + target.folder;
    make_writable_folder(folder);
    write_published_table(*target.op, target.rows.rows,
                          fmt::format("{}/{}.parquet", folder, target.op->published_table()));
    CollectionMeta& meta = metas_[folder];
    const TableFolder& from = target.source->folder;
    const CollectionMeta known = read_collection_meta(from.path).value_or(CollectionMeta{});
    meta.provenance = known.provenance.empty() ? "local" : known.provenance;
    add_runtime(meta, known, from);
    const auto table = known.tables.find(target.source->stem);
    TableProvenance& provenance = meta.tables[std::string(target.op->published_table())];
    if (table != known.tables.end()) provenance = table->second;
    provenance.rows = int64_t(target.rows.rows.size());
    if (provenance.status.empty()) provenance.status = "complete";
    copy_notices(from.path, folder);
  }

  /// Whose kernels the rows are of; of several back ends in one folder all are named.
  static void add_runtime(CollectionMeta& meta, const CollectionMeta& known, const TableFolder& from) {
    const auto [framework, is_new] = meta.runtime.try_emplace("framework", from.backend);
    if (is_new) {
      meta.runtime.insert(known.runtime.begin(), known.runtime.end());
      meta.runtime.try_emplace("version", from.version);
    } else if (framework->second.find(from.backend) == std::string::npos) {
      framework->second += "+" + from.backend;
      meta.runtime["version"] += "+" + from.version;
    }
  }

  /// Texts that must stay with the data they speak of.
  void copy_notices(const std::string& from, const std::string& to) const {
    for (const std::string& folder :
         {request_.data_root, fmt::format("{}/{}", request_.data_root, request_.system), from})
      for (const char* const stem : {"ATTRIBUTION", "LICENSE", "NOTICE"})
        for (const char* const extension : {"", ".md", ".txt"}) {
          const std::string name = fmt::format("/{}{}", stem, extension), path = folder + name;
          if (file_exists(path)) replace_file(to + name, read_file(path));
        }
  }

  void write_sidecars() const {
    for (const auto& [folder, meta] : metas_) write_collection_meta(meta, folder);
  }

  const OpRegistry& ops_;
  const AicExportRequest& request_;
  std::vector<SourceTable> sources_;
  std::vector<TargetTable> targets_;
  std::map<std::string, CollectionMeta> metas_;  // by folder
  AicExportReport report_;
};

void check_names(const AicExportRequest& request) {
  for (const auto& [option, name] :
       {std::pair{"--system", request.system}, std::pair{"--as-backend", request.as_backend},
        std::pair{"--as-version", request.as_version}})
    if (!valid_folder_name(name))
      throw UsageError(fmt::format("{} '{}' is no name that a folder can have", option, name));
  constexpr std::string_view kKnown[] = {"vllm", "sglang", "trtllm"};
  if (std::find(std::begin(kKnown), std::end(kKnown), request.as_backend) == std::end(kKnown))
    throw UsageError(
        fmt::format("--as-backend '{}' is none of vllm, sglang and trtllm, which aiconfigurator knows",
                    request.as_backend));
  const std::string taken = fmt::format("{}/data/{}", request.out, request.system);
  if (fs::exists(taken))
    throw Error(fmt::format("{}: is there already; remove it or give another --out", taken));
}

}  // namespace

AicExportReport export_for_aic(const OpRegistry& ops, const AicExportRequest& request) {
  check_names(request);
  return AicExporter(ops, request).run();
}

}  // namespace perfatlas
