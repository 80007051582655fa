// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/store/columns.h"

#include <fmt/format.h>

#include <unordered_map>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/store/columns_impl.h"
#include "perfatlas/store/csv.h"
#include "perfatlas/store/csv_lines_impl.h"

namespace perfatlas {
namespace {

/// A text column while it grows.
struct TextColumn {
  ColumnData data;
  std::unordered_map<std::string, int32_t> codes;

  void append(const std::string& cell) {
    data.known.push_back(!cell.empty());
    const auto [entry, is_new] = codes.try_emplace(cell, int32_t(codes.size()));
    if (is_new) data.dictionary.push_back(cell);
    data.codes.push_back(entry->second);
  }
};

/// Replaces texts by numbers where each known one is a number.
template <class Value, class Parse>
bool convert(ColumnData& data, ColumnData::Kind kind, std::vector<Value> ColumnData::*values,
             const Parse& parse) {
  std::vector<Value> words;
  for (const std::string& word : data.dictionary) {
    const auto value = parse(word);
    if (!value && !word.empty()) return false;
    words.push_back(value.value_or(0));
  }
  data.kind = kind;
  (data.*values).reserve(data.codes.size());
  for (const int32_t code : data.codes) (data.*values).push_back(words[size_t(code)]);
  data.codes.clear();
  data.dictionary.clear();
  return true;
}

ColumnBatch parse_csv_columns(std::string_view text, const std::string& where) {
  if (is_git_lfs_pointer(text)) throw Error(git_lfs_problem(where));
  CsvLines lines(text, where);
  std::string_view line;
  if (!lines.next(line))
    throw Error(fmt::format("{}: the file is empty; a table starts with a header", where));
  std::vector<std::string> cells;
  std::vector<TextColumn> columns;
  const auto split_or_refuse = [&] {
    if (const std::string problem = split_csv_line(line, cells); !problem.empty()) lines.refuse(problem);
  };
  split_or_refuse();
  for (const std::string& name : cells) columns.push_back({{.name = name}, {}});
  ColumnBatch batch;
  for (; lines.next(line); ++batch.rows) {
    split_or_refuse();
    if (cells.size() != columns.size())
      lines.refuse(fmt::format("{} cells where the header has {}", cells.size(), columns.size()));
    for (size_t i = 0; i < cells.size(); ++i) columns[i].append(cells[i]);
  }
  for (TextColumn& column : columns) {
    ColumnData& data = batch.columns.emplace_back(std::move(column.data));
    if (!convert(data, ColumnData::Kind::integer, &ColumnData::integers, parse_integer))
      convert(data, ColumnData::Kind::real, &ColumnData::reals, parse_real);
  }
  return batch;
}

}  // namespace

ColumnBatch parse_columns(TableFormat format, std::string_view bytes, const std::string& where) {
  return format == TableFormat::parquet ? parse_parquet_columns(bytes, where)
                                        : parse_csv_columns(bytes, where);
}

}  // namespace perfatlas
