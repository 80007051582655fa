// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/store/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/base/parallel.h"
#include "perfatlas/base/text.h"
#include "perfatlas/store/csv_lines_impl.h"
#include "perfatlas/store/table_columns.h"

namespace perfatlas {
namespace {

constexpr size_t kLeastPerThread = 1 << 12;  // rows: some milliseconds
constexpr size_t kBlockRows = 1 << 16;       // some tens of megabytes of text
constexpr std::string_view kLfsPreamble = "version https://git-lfs.github.com/spec/";

// ---- writing -------------------------------------------------------------------------------------------------------

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

void append_text(std::string& out, const std::string& text) {
  if (std::any_of(text.begin(), text.end(), is_control))
    throw Error(fmt::format("text '{}' has a control character and cannot stand in a table; mend its source",
                            text.substr(0, 40)));
  if (text.find_first_of(",\"") == text.npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_cell(std::string& out, const Cell& cell) {
  struct Writer {
    std::string& out;
    void operator()(std::monostate) const {}
    void operator()(int64_t value) const { fmt::format_to(std::back_inserter(out), "{}", value); }
    void operator()(double value) const { out += format_real(value); }
    void operator()(bool value) const { out += value ? "true" : "false"; }
    void operator()(const std::string& value) const { append_text(out, value); }
  };
  std::visit(Writer{out}, cell);
}

void append_line(std::string& out, const std::vector<TableColumn>& columns, const Row& row) {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) out += ',';
    append_cell(out, columns[i].get(row, columns[i].index));
  }
}

// ---- reading -------------------------------------------------------------------------------------------------------

/// The typed value of a cell's text; returns why there is none, or nothing.
std::string parse_cell(CellType type, const std::string& text, Cell& cell) {
  cell = std::monostate();
  if (text.empty()) return {};
  if (type == CellType::text) {
    cell = text;
  } else if (type == CellType::integer) {
    if (const auto value = parse_integer(text)) cell = *value;
  } else if (type == CellType::real) {
    if (const auto value = parse_real(text)) cell = *value;
  } else if (text == "true" || text == "True" || text == "1") {
    cell = true;
  } else if (text == "false" || text == "False" || text == "0") {
    cell = false;
  }
  if (!std::holds_alternative<std::monostate>(cell)) return {};
  constexpr std::string_view kExpected[] = {"an integer", "a finite number", "true or false", "text"};
  return fmt::format("'{}' is not {}", text.substr(0, 40), kExpected[size_t(type)]);
}

/// Fills rows from cells, column by column in the order of table_columns.
class RowReader {
 public:
  RowReader(const OpType& op, const std::vector<std::string>& header, const CsvLines& lines)
      : columns_(table_columns(op)), blank_(empty_row(op)), width_(header.size()), lines_(lines) {
    const std::vector<size_t> positions = match_header(columns_, header, lines.here());
    absent_ = absent_columns(columns_, positions);
    cell_of_column_.assign(columns_.size(), header.size());
    for (size_t i = 0; i < positions.size(); ++i) cell_of_column_[positions[i]] = i;
  }

  Row read(const std::vector<std::string>& cells) {
    if (cells.size() != width_)
      lines_.refuse(fmt::format("{} cells where the header has {}", cells.size(), width_));
    Row row = blank_;
    Cell cell;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (cell_of_column_[i] == width_) continue;
      std::string reason = parse_cell(columns_[i].type, cells[cell_of_column_[i]], cell);
      if (reason.empty()) reason = columns_[i].set(row, columns_[i].index, cell);
      if (!reason.empty()) lines_.refuse(fmt::format("{}: {}", columns_[i].name, reason));
    }
    fill_absent(columns_, absent_, row);
    if (const std::string problem = row_problem(row); !problem.empty()) lines_.refuse(problem);
    return row;
  }

 private:
  std::vector<TableColumn> columns_;
  Row blank_;
  size_t width_;
  std::vector<size_t> absent_;
  std::vector<size_t> cell_of_column_;
  const CsvLines& lines_;
};

}  // namespace

std::string csv_header(const OpType& op) {
  std::vector<std::string_view> names;
  for (const TableColumn& column : table_columns(op)) names.push_back(column.name);
  return fmt::format("{}", fmt::join(names, ","));
}

std::string csv_line(const Row& row) {
  std::string line;
  append_line(line, table_columns(*row.c.op), row);
  return line;
}

namespace {

/// The text of a table in pieces: the header, then blocks of lines.
void for_each_csv_block(const OpType& op, const RowsToWrite& rows,
                        const std::function<void(const std::string&)>& on_text) {
  const std::vector<TableColumn> columns = table_columns(op);
  on_text(csv_header(op) + '\n');
  for (size_t start = 0; start < rows.size(); start += kBlockRows) {
    std::mutex mutex;
    std::map<size_t, std::string> parts;  // by first row
    in_parallel(std::min(kBlockRows, rows.size() - start), kLeastPerThread, [&](size_t begin, size_t end) {
      std::string text;
      Row memory;
      for (size_t i = start + begin; i < start + end; ++i) {
        const Row& row = rows.at(i, memory);
        PERFATLAS_ASSERT(row.c.op == &op);
        append_line(text, columns, row);
        text += '\n';
      }
      const std::lock_guard lock(mutex);
      parts.emplace(begin, std::move(text));
    });
    for (const auto& [begin, text] : parts) on_text(text);
  }
}

}  // namespace

std::string csv_table(const OpType& op, const RowsToWrite& rows) {
  std::string table;
  for_each_csv_block(op, rows, [&](const std::string& text) { table += text; });
  return table;
}

void parse_csv_table(const OpType& op, std::string_view text, const std::string& where, const RowSink& sink) {
  if (is_git_lfs_pointer(text)) throw Error(git_lfs_problem(where));
  CsvLines lines(text, where);
  std::string_view line;
  if (!lines.next(line))
    throw Error(fmt::format("{}: the file is empty; a table starts with a header", where));
  std::vector<std::string> cells;
  const auto split_or_refuse = [&] {
    if (const std::string problem = split_csv_line(line, cells); !problem.empty()) lines.refuse(problem);
  };
  split_or_refuse();
  RowReader reader(op, cells, lines);
  while (lines.next(line)) {
    split_or_refuse();
    sink(reader.read(cells));
  }
}

std::vector<Row> read_csv_table(const OpType& op, const std::string& path) {
  std::vector<Row> rows;
  parse_csv_table(op, read_file(path), path, [&](Row&& row) { rows.push_back(std::move(row)); });
  return rows;
}

void write_csv_table(const OpType& op, const RowsToWrite& rows, const std::string& path) {
  AtomicFile file(path);
  for_each_csv_block(op, rows, [&](const std::string& text) { file.write(text); });
  file.commit();
}

bool is_git_lfs_pointer(std::string_view text) { return text.starts_with(kLfsPreamble); }

std::string git_lfs_problem(const std::string& path) {
  return fmt::format("{} is a Git-LFS pointer, not the table: fetch it with `git lfs pull`", path);
}

}  // namespace perfatlas
