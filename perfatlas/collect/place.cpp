// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/place.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/base/parallel.h"
#include "perfatlas/collect/place_input.h"
#include "perfatlas/collect/placed_meta_impl.h"
#include "perfatlas/collect/table_merge.h"
#include "perfatlas/hw/system_spec.h"
#include "perfatlas/store/contradiction_text.h"
#include "perfatlas/store/csv.h"
#include "perfatlas/store/parquet.h"

namespace perfatlas {
namespace {

constexpr size_t kBlockRows = 1 << 12, kLeastPerThread = 256;  // rows: some milliseconds

/// Adds the rows of a file, if it is there, with digests made on all processors.
template <class Add>
void add_file(const OpType& op, const TableFile& file, const RowDigests& digests, const Add& add) {
  if (!file_exists(file.path)) return;
  std::vector<Row> block;
  const auto add_block = [&] {
    std::vector<RowDigest> own(block.size());
    in_parallel(block.size(), kLeastPerThread, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) own[i] = digests.of(block[i]);
    });
    for (size_t i = 0; i < block.size(); ++i) add(block[i], own[i]);
    block.clear();
  };
  read_table(op, file, [&](Row&& row) {
    block.push_back(std::move(row));
    if (block.size() == kBlockRows) add_block();
  });
  add_block();
}

/// Of measurements of which nobody knows which is newer, those that say different latencies.
std::string contradiction_in(const RowStore& rows, const MergedTable& merged, const std::string& path) {
  std::optional<std::pair<Row, TwoLatencies>> first;
  size_t cases = 0;
  Row row;
  for (const auto& [counts, other] : merged.undecided) {
    rows.get(other, row);
    const double other_ms = latency_ms(row);
    rows.get(counts, row);
    if (latency_ms(row) == other_ms) continue;
    ++cases;
    if (!first) first.emplace(row, TwoLatencies{latency_ms(row), other_ms});
  }
  return first ? contradiction_text(path, first->first.c, first->second, cases - 1) : std::string();
}

/// Replaces files of one table folder.
class FolderWriter {
 public:
  FolderWriter(const PlaceRequest& request, const TableFolder& folder) : request_(request), folder_(folder) {
    make_writable_folder(folder.path);
  }

  PlacedTable merge(const OpType& op, Measurements& all, const RowDigests& digests) const {
    const TableFile file = table_file(op);
    const TableFile past = {file.table, file.format, history_path(file)};
    add_file(op, past, digests,
             [&](const Row& row, const RowDigest& digest) { all.add_history(row, digest); });
    add_file(op, file, digests,
             [&](const Row& row, const RowDigest& digest) { all.add_placed(row, digest); });
    const MergedTable merged = all.merge();
    const auto source = [&](const std::vector<uint32_t>& numbers) {
      return RowsToWrite(numbers.size(), [&](size_t i, Row& row) { all.rows().get(numbers[i], row); });
    };
    PlacedTable placed{file.table,         folder_.backend, folder_.version, file.path,
                       merged.rows.size(), merged.added,    merged.replaced, merged.history.size()};
    if (merged.history_changed) {
      make_writable_folder(folder_.path + "/history");
      write(op, source(merged.history), past);
    }
    placed.contradiction = contradiction_in(all.rows(), merged, file.path);
    placed.changed = merged.rows_changed || merged.history_changed;
    if (merged.rows_changed) write(op, source(merged.rows), file);
    return placed;
  }

  void write_meta(const CollectionMeta& meta) const {
    const auto old = read_collection_meta(folder_.path);
    if (old == meta) return;
    announce(folder_.path + '/' + kCollectionMetaFile);
    write_collection_meta(meta, folder_.path);
  }

 private:
  TableFile table_file(const OpType& op) const {
    for (const TableFile& file : list_tables(folder_))
      if (file.table == op.info.table) return file;
    const char* const extension = request_.format == TableFormat::parquet ? "parquet" : "txt";
    return {std::string(op.info.table), request_.format,
            fmt::format("{}/{}.{}", folder_.path, op.info.table, extension)};
  }
  std::string history_path(const TableFile& file) const {
    return fmt::format("{}/history/{}", folder_.path, file.path.substr(file.path.rfind('/') + 1));
  }
  void announce(const std::string& path) const {
    if (request_.before_write) request_.before_write(path);
  }
  void write(const OpType& op, const RowsToWrite& rows, const TableFile& file) const {
    announce(file.path);
    if (file.format == TableFormat::parquet)
      write_parquet_table(op, rows, file.path);
    else
      write_csv_table(op, rows, file.path);
  }

  const PlaceRequest& request_;
  const TableFolder& folder_;
};

/// The newest description of the machine among the collections and the one placed already.
void place_system_description(const PlaceRequest& request) {
  const std::string target = system_description_path(request.data_root, request.system);
  std::optional<SystemSpec> newest;
  for (const std::string& folder : request.collections) {
    const std::string path = folder + "/system.json";
    if (!file_exists(path)) continue;
    SystemSpec spec = read_system_spec(path);
    if (!newest || newest->probed_at < spec.probed_at) newest = std::move(spec);
  }
  if (!newest) return;
  newest->system = request.system;
  if (file_exists(target)) {
    const SystemSpec old = read_system_spec(target);
    if (old == *newest || newest->probed_at < old.probed_at) return;
  }
  if (request.before_write) request.before_write(target);
  write_system_spec(*newest, target);
}

size_t plans_of(const PlaceInput& input) {
  std::set<uint64_t> hashes;
  for (const RunRecord& run : input.runs) hashes.insert(run.plan_hash);
  return std::max<size_t>(1, hashes.size());
}

nlohmann::ordered_json table_json(const PlacedTable& t) {
  nlohmann::ordered_json json{{"table", t.table},       {"backend", t.backend}, {"version", t.version},
                              {"path", t.path},         {"rows", t.rows},       {"added", t.added},
                              {"replaced", t.replaced}, {"history", t.history}, {"changed", t.changed}};
  if (!t.contradiction.empty()) json["contradiction"] = t.contradiction;
  return json;
}

}  // namespace

PlaceReport place(const OpRegistry& ops, const PlaceRequest& request) {
  if (!valid_folder_name(request.system))
    throw UsageError(fmt::format("--system '{}' is not usable as a folder name", request.system));
  PlaceInput input = read_place_input(request.collections, ops);
  if (input.tables.empty())
    throw Error(
        fmt::format("nothing was measured in {}; collect first", fmt::join(request.collections, ", ")));
  PlaceReport report{.damaged = input.damaged, .plans = plans_of(input), .complete = input.complete()};
  const std::string system_folder = fmt::format("{}/{}", request.data_root, request.system);
  make_writable_folder(system_folder);
  const FolderLock lock(system_folder);
  const RowDigests digests(ops);
  for (auto& [key, tables] : input.tables) {
    const TableFolder folder = plain_folder(request.data_root, request.system, key.first, key.second);
    const FolderWriter writer(request, folder);
    PlacedMeta meta(read_collection_meta(folder.path), folder, input);
    for (auto& [op, measured] : tables) {
      const bool whole = has_all_sub_kernels(*op, measured.rows());
      report.tables.push_back(writer.merge(*op, measured, digests));
      meta.add_table(*op, report.tables.back(), whole);
      measured = Measurements(*op);  // its memory is of use to the next
    }
    writer.write_meta(meta.result());
  }
  place_system_description(request);
  return report;
}

std::string PlaceReport::text() const {
  std::string out;
  for (const PlacedTable& t : tables)
    if (!t.contradiction.empty()) out += t.contradiction + "\n";
  for (const PlacedTable& t : tables)
    out += t.changed ? fmt::format("{}: {} rows ({} new, {} replaced; {} in history)\n", t.path, t.rows,
                                   t.added, t.replaced, t.history)
                     : fmt::format("{}: {} rows, nothing new\n", t.path, t.rows);
  if (plans > 1)
    out += fmt::format(
        "the collections follow {} different plans; of cases that several have the newest row counts\n",
        plans);
  if (!complete) out += "the collection is not complete: these tables are marked partial\n";
  for (const DamagedLine& line : damaged)
    out += fmt::format("{}:{}: {} (not placed)\n", line.path, line.line, line.reason);
  return out;
}

std::string PlaceReport::json() const {
  nlohmann::ordered_json out{
      {"complete", complete}, {"plans", plans}, {"tables", nlohmann::ordered_json::array()}};
  for (const PlacedTable& t : tables) out["tables"].push_back(table_json(t));
  out["damaged_lines"] = nlohmann::ordered_json::array();
  for (const DamagedLine& line : damaged)
    out["damaged_lines"].push_back({{"path", line.path}, {"line", line.line}, {"reason", line.reason}});
  return out.dump();
}

}  // namespace perfatlas
