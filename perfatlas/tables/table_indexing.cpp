// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <mutex>
#include <thread>
#include <tuple>

#include "perfatlas/base/error.h"
#include "perfatlas/tables/root_source.h"

namespace perfatlas {

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
  size_t next = 0, done = 0;
  const auto take = [&]() -> const Piece* {
    const std::lock_guard lock(mutex);
    return next < all.size() ? &all[next++] : nullptr;
  };
  const auto run = [&] {
    for (const Piece* piece = take(); piece != nullptr; piece = take()) {
      std::string reason;
      try {
        (void)read_table(*piece->op, *piece->file);
      } catch (const Error& error) {
        reason = error.what();
      }
      const std::lock_guard lock(mutex);
      if (!reason.empty()) problems.push_back({piece->file->path, reason});
      if (progress) progress(++done, all.size());
    }
  };
  std::thread second(run);
  run();
  second.join();
  std::sort(problems.begin(), problems.end(), [](const TableProblem& a, const TableProblem& b) {
    return std::tie(a.path, a.reason) < std::tie(b.path, b.reason);
  });
  // Of a table of several ops every one finds the same.
  problems.erase(std::unique(problems.begin(), problems.end()), problems.end());
  return problems;
}

}  // namespace perfatlas
