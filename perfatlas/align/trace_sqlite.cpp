// SPDX-License-Identifier: Apache-2.0
// The tables of Nsight Systems' SQLite export (NVIDIA Nsight Systems User Guide, "SQLite Schema Reference").
#include <fmt/format.h>
#include <sqlite3.h>

#include <functional>
#include <memory>

#include "perfatlas/align/trace.h"
#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

class Export {
 public:
  explicit Export(const std::string& path) : path_(path) {
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READONLY, nullptr);
    database_.reset(raw);
    if (code != SQLITE_OK) fail();
  }

  bool has_table(const char* name) {
    bool found = false;
    each(fmt::format("SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND name = '{}'", name),
         [&](sqlite3_stmt*) { found = true; });
    return found;
  }

  bool has_column(const char* table, const char* column) {
    bool found = false;
    each(fmt::format("SELECT 1 FROM pragma_table_info('{}') WHERE name = '{}'", table, column),
         [&](sqlite3_stmt*) { found = true; });
    return found;
  }

  void each(const std::string& query, const std::function<void(sqlite3_stmt*)>& row) {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(database_.get(), query.c_str(), -1, &raw, nullptr) != SQLITE_OK) fail();
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(raw, sqlite3_finalize);
    int code = sqlite3_step(raw);
    for (; code == SQLITE_ROW; code = sqlite3_step(raw)) row(raw);
    if (code != SQLITE_DONE) fail();
  }

  [[noreturn]] void fail() const {
    throw Error(fmt::format("{}: SQLite says: {}", path_, sqlite3_errmsg(database_.get())));
  }

 private:
  std::string path_;
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> database_{nullptr, sqlite3_close};
};

std::string text_at(sqlite3_stmt* row, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
  return text == nullptr ? "" : text;
}

/// NVTX texts lie in the event, or among the strings. eventType 59: push/pop, 60: start/end ranges.
void read_ranges(Export& file, RecordedTrace& trace) {
  if (!file.has_table("NVTX_EVENTS")) return;
  const bool by_id = file.has_column("NVTX_EVENTS", "textId");
  const std::string name = by_id ? "COALESCE(n.text, s.value)" : "n.text";
  const std::string join = by_id ? "LEFT JOIN StringIds s ON s.id = n.textId " : "";
  file.each(fmt::format("SELECT {}, n.start, n.end, n.globalTid FROM NVTX_EVENTS n {}"
                        "WHERE n.eventType IN (59, 60) AND n.end IS NOT NULL ORDER BY n.start, n.rowid",
                        name, join),
            [&](sqlite3_stmt* row) {
              trace.ranges.push_back({text_at(row, 0), sqlite3_column_int64(row, 1),
                                      sqlite3_column_int64(row, 2), sqlite3_column_int64(row, 3)});
            });
}

}  // namespace

RecordedTrace read_sqlite_trace(const std::string& path) {
  Export file(path);
  if (!file.has_table("CUPTI_ACTIVITY_KIND_KERNEL"))
    throw Error(
        fmt::format("{}: has no table CUPTI_ACTIVITY_KIND_KERNEL; profile with nsys profile --trace "
                    "cuda,nvtx --cuda-graph-trace node",
                    path));
  RecordedTrace trace;
  read_ranges(file, trace);
  if (file.has_table("CUPTI_ACTIVITY_KIND_RUNTIME"))
    file.each(
        "SELECT correlationId, start, globalTid FROM CUPTI_ACTIVITY_KIND_RUNTIME", [&](sqlite3_stmt* row) {
          trace.launches.push_back(
              {sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1), sqlite3_column_int64(row, 2)});
        });
  file.each(
      "SELECT s.value, k.correlationId, k.end - k.start FROM CUPTI_ACTIVITY_KIND_KERNEL k "
      "LEFT JOIN StringIds s ON s.id = k.shortName ORDER BY k.start, k.rowid",
      [&](sqlite3_stmt* row) {
        trace.kernels.push_back(
            {text_at(row, 0), sqlite3_column_int64(row, 1), sqlite3_column_int64(row, 2)});
      });
  return trace;
}

}  // namespace perfatlas
