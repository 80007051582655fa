// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/staging.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>

#include "perfatlas/store/csv.h"

namespace perfatlas {
namespace {

/// The last place of a row identity among all measured records, numbered from 0.
struct Place {
  uint64_t identity = 0;
  uint64_t number = 0;
};

/// Calls `on_row` for each measured record in order.
template <class OnRow>
void for_each_row(const std::vector<std::string>& files, const OpRegistry& ops, const OnRow& on_row) {
  read_journals(files, ops, [&](const JournalRecord& record) {
    const auto* const c = std::get_if<CaseRecord>(&record);
    if (c != nullptr && c->row) on_row(*c->row);
  });
}

/// Numbers of the records that are the newest of their identity, ascending.
std::vector<uint64_t> newest(const std::vector<std::string>& files, const OpRegistry& ops) {
  std::vector<Place> places;
  for_each_row(files, ops, [&](const Row& row) { places.push_back({row_identity(row), places.size()}); });
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
    return a.identity != b.identity ? a.identity < b.identity : a.number > b.number;
  });
  const auto older = std::unique(places.begin(), places.end(),
                                 [](const Place& a, const Place& b) { return a.identity == b.identity; });
  places.erase(older, places.end());
  std::vector<uint64_t> numbers;
  for (const Place& place : places) numbers.push_back(place.number);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace

std::string staging_path(const std::string& folder, const OpType& op) {
  return fmt::format("{}/{}.txt", folder, op.info.table);
}

std::vector<std::string> write_staging_tables(const std::string& folder, const OpRegistry& ops) {
  const std::vector<std::string> files = journal_files(folder);
  const std::vector<uint64_t> keep = newest(files, ops);
  std::map<const OpType*, std::unique_ptr<AtomicFile>> tables;
  uint64_t number = 0;
  auto next = keep.begin();
  for_each_row(files, ops, [&](const Row& row) {
    if (next == keep.end() || *next != number++) return;
    ++next;
    auto& table = tables[row.c.op];
    if (!table) {
      table = std::make_unique<AtomicFile>(staging_path(folder, *row.c.op));
      table->write(csv_header(*row.c.op) + "\n");
    }
    table->write(csv_line(row) + "\n");
  });
  std::vector<std::string> written;
  for (const auto& [op, table] : tables) {
    table->commit();
    written.push_back(staging_path(folder, *op));
  }
  std::sort(written.begin(), written.end());
  return written;
}

void remove_unfinished_files(const std::string& folder) {
  std::vector<std::filesystem::path> unfinished;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".tmp") unfinished.push_back(entry.path());
  std::error_code error;  // one that cannot be removed does no harm
  for (const auto& path : unfinished) std::filesystem::remove(path, error);
}

bool staging_up_to_date(const std::string& folder, const std::vector<const OpType*>& ops_with_rows) {
  const std::vector<std::string> journals = journal_files(folder);
  auto newest = std::filesystem::file_time_type::min();
  for (const std::string& path : journals) newest = std::max(newest, std::filesystem::last_write_time(path));
  return std::all_of(ops_with_rows.begin(), ops_with_rows.end(), [&](const OpType* op) {
    const std::string path = staging_path(folder, *op);
    return std::filesystem::is_regular_file(path) && std::filesystem::last_write_time(path) >= newest;
  });
}

}  // namespace perfatlas
