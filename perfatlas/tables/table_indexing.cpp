// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <mutex>
#include <tuple>

#include "perfatlas/base/error.h"
#include "perfatlas/base/parallel.h"
#include "perfatlas/tables/root_source.h"

namespace perfatlas {
namespace {

constexpr size_t kTablesAtOnce = 2;  // bounds the memory of decoding, whatever the machine

}  // namespace

std::vector<TableProblem> RootSource::index(const std::vector<std::string>& systems_asked,
                                            const IndexProgress& progress) const {
  struct Piece {
    const OpType* op;
    const TableFile* file;
  };
  std::vector<Piece> all;
  for (const std::string& name : systems_asked.empty() ? systems() : systems_asked)
    for (const VersionFolder& folder : tables(name).folders())
      for (const TableFile& file : folder.tables)
        for (const OpType* const op : ops_of_table(ops(), file.table)) all.push_back({op, &file});
  std::vector<TableProblem> problems;
  std::mutex mutex;
  size_t done = 0;
  on_threads(kTablesAtOnce, all.size(), [&](size_t, size_t i) {
    std::string reason;
    try {
      (void)read_table(*all[i].op, *all[i].file);
    } catch (const Error& error) {
      reason = error.what();
    }
    const std::lock_guard lock(mutex);
    if (!reason.empty()) problems.push_back({all[i].file->path, reason});
    if (progress) progress(++done, all.size());
  });
  std::sort(problems.begin(), problems.end(), [](const TableProblem& a, const TableProblem& b) {
    return std::tie(a.path, a.reason) < std::tie(b.path, b.reason);
  });
  // Of a table of several ops every one finds the same.
  problems.erase(std::unique(problems.begin(), problems.end()), problems.end());
  return problems;
}

}  // namespace perfatlas
