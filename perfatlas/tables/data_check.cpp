// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/data_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "perfatlas/base/error.h"
#include "perfatlas/store/collection_meta.h"
#include "perfatlas/tables/reuse.h"

namespace perfatlas {
namespace {

class Check {
 public:
  Check(const RootSource& root, const AicSystem& system) : root_(root), system_(system) {}

  std::vector<TableProblem> run() {
    for (const VersionFolder& folder : root_.tables(system_.name).folders()) {
      guarded(folder.path + "/" + kCollectionMetaFile, [&] {
        if (folder.has_meta) check_meta(folder);
      });
      guarded(folder.path + "/" + kReuseFile, [&] {
        if (folder.has_reuse) check_reuse(folder);
      });
      for (const TableFile& file : folder.tables) check_table(folder, file);
    }
    for (const auto& [math, path] : lacking_)
      problems_.push_back({path, fmt::format("{}: has rows that compute in {}, but {} has no peak for it",
                                             path, name_of(math), system_.path)});
    return std::move(problems_);
  }

 private:
  template <class Call>
  void guarded(const std::string& path, const Call& call) {
    try {
      call();
    } catch (const Error& error) {
      problems_.push_back({path, error.what()});
    }
  }
  void report(const std::string& path, const std::string& reason) {
    problems_.push_back({path, fmt::format("{}: {}", root_.files().name_of(path), reason)});
  }

  void check_meta(const VersionFolder& folder) {
    const std::string path = folder.path + "/" + kCollectionMetaFile;
    const CollectionMeta meta = parse_collection_meta(root_.files().read(path), root_.files().name_of(path));
    const bool any_there = std::any_of(meta.tables.begin(), meta.tables.end(), [&](const auto& table) {
      return folder.find(table.first) != nullptr;
    });
    if (!meta.tables.empty() && !any_there && !folder.has_reuse)
      report(path,
             "none of the tables that it lists is there: the folder was copied in part; fetch it again");
    for (const auto& [table, provenance] : meta.tables)
      if (provenance.rows && folder.find(table) != nullptr)
        stated_rows_[folder.find(table)->path] = *provenance.rows;
  }

  void check_reuse(const VersionFolder& folder) {
    const std::string path = folder.path + "/" + kReuseFile;
    for (const TableDonor& donor : parse_reuse(root_.files().read(path), root_.files().name_of(path)))
      if (root_.tables(system_.name).holder(donor.table, folder.backend, donor.from_version) == nullptr)
        report(path, fmt::format("it borrows {} from {} {}, which has no such table", donor.table,
                                 folder.backend, donor.from_version));
  }

  void check_table(const VersionFolder& folder, const TableFile& file) {
    size_t rows = 0;
    for (const OpType* const op : ops_of_table(root_.ops(), file.table)) {
      try {
        const FileTable table = root_.read_table(*op, file);
        rows += table.size() + table.repeats() + (op->published == nullptr ? table.left_out() : 0);
        note_peaks(*op, table, file.path);
      } catch (const Error&) {
        return;  // index() reports it
      }
    }
    const auto stated = stated_rows_.find(file.path);
    if (stated != stated_rows_.end() && stated->second != int64_t(rows))
      report(folder.path + "/" + kCollectionMetaFile,
             fmt::format("it says that {} has {} rows, which has {}", file.table, stated->second, rows));
  }

  /// The first table of each type whose peak the description lacks.
  void note_peaks(const OpType& op, const FileTable& table, const std::string& path) {
    if (table.size() == 0) return;
    for (size_t i = 0; i < op.fields.size(); ++i) {
      if (op.fields[i].role != Role::exact || op.fields[i].names.empty()) continue;
      for (const int64_t value : table.field(i).dictionary())
        if (const auto math = math_of(op.fields[i], value); math && !system_.has_flops(*math))
          lacking_.try_emplace(*math, path);
    }
  }

  /// The type that rows of a quantisation mode compute in; nothing for fields that are no such mode.
  static std::optional<DType> math_of(const FieldType& field, int64_t value) {
    if (field.names.size() != kEnumNames<Quant>.size()) return std::nullopt;
    if (field.names.front().second != kEnumNames<Quant>.front().name || field.names.size() <= size_t(value))
      return std::nullopt;
    return traits_of(Quant(value)).math;
  }

  const RootSource& root_;
  const AicSystem& system_;
  std::map<std::string, int64_t> stated_rows_;  // by path of the table
  std::map<DType, std::string> lacking_;
  std::vector<TableProblem> problems_;
};

}  // namespace

std::vector<TableProblem> check_system(const RootSource& root, std::string_view system) {
  try {
    return Check(root, root.system(system)).run();
  } catch (const UsageError&) {
    throw;
  } catch (const Error& error) {
    return {{std::string(system) + ".yaml", error.what()}};
  }
}

std::vector<TableProblem> listed_but_absent(const RootSource& root, const TableRequest& request) {
  std::vector<TableProblem> absent;
  for (const VersionFolder* const folder : root.tables(request.system).of(request.backend, request.version)) {
    if (!folder->has_meta) continue;
    const std::string path = folder->path + "/" + kCollectionMetaFile;
    const std::string name = root.files().name_of(path);
    for (const auto& [table, provenance] : parse_collection_meta(root.files().read(path), name).tables)
      if (folder->find(table) == nullptr)
        absent.push_back({path, fmt::format("{}, which {} lists", table, name)});
  }
  return absent;
}

}  // namespace perfatlas
