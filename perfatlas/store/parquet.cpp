// SPDX-License-Identifier: Apache-2.0
// Rows to columns and back; the bytes are the plug-in's business (parquet_open_impl.h).
#include "perfatlas/store/parquet.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/store/columns_impl.h"
#include "perfatlas/store/csv.h"
#include "perfatlas/store/parquet_open_impl.h"
#include "perfatlas/store/table_columns.h"

namespace perfatlas {
namespace {

constexpr const char* kOpKey = "perfatlas.op";
constexpr const char* kRevisionKey = "perfatlas.revision";

// ---- rows to columns -----------------------------------------------------------------------------------------------

ColumnData::Kind kind_of(CellType type) {
  switch (type) {
    case CellType::integer:
      return ColumnData::Kind::integer;
    case CellType::real:
      return ColumnData::Kind::real;
    case CellType::boolean:
      return ColumnData::Kind::boolean;
    case CellType::text:
      break;
  }
  return ColumnData::Kind::text;
}

ColumnData column_data(const TableColumn& column, std::span<const Row> rows) {
  ColumnData data{.name = std::string(column.name), .kind = kind_of(column.type)};
  std::unordered_map<std::string, int32_t> codes;
  for (const Row& row : rows) {
    const Cell cell = column.get(row, column.index);
    data.known.push_back(!std::holds_alternative<std::monostate>(cell));
    const auto value_or_zero = [&]<class T>(T zero) { return data.known.back() ? std::get<T>(cell) : zero; };
    if (column.type == CellType::integer) data.integers.push_back(value_or_zero(int64_t{0}));
    if (column.type == CellType::real) data.reals.push_back(value_or_zero(0.0));
    if (column.type == CellType::boolean) data.booleans.push_back(value_or_zero(false));
    if (column.type != CellType::text) continue;
    const auto [entry, is_new] = codes.try_emplace(value_or_zero(std::string()), int32_t(codes.size()));
    if (is_new) data.dictionary.push_back(entry->first);
    data.codes.push_back(entry->second);
  }
  return data;
}

ColumnBatch batch_of(const OpType& op, std::span<const Row> rows) {
  ColumnBatch batch{.rows = int64_t(rows.size())};
  batch.metadata = {{kOpKey, std::string(op.info.id)}, {kRevisionKey, std::to_string(op.info.revision)}};
  for (const TableColumn& column : table_columns(op)) batch.columns.push_back(column_data(column, rows));
  return batch;
}

/// No row has a value there, and readers of a table without the column see the rows as they are.
bool may_be_left_out(const OpType& op, const TableColumn& column, std::span<const Row> rows) {
  if (column.presence == Presence::required || column.type == CellType::integer) return false;
  return std::all_of(rows.begin(), rows.end(), [&](const Row& row) {
    const Cell cell = column.get(row, column.index);
    if (column.presence == Presence::power) return std::holds_alternative<std::monostate>(cell);
    const std::string* const text = std::get_if<std::string>(&cell);
    const auto& values = row.c.values;
    return text != nullptr && text->empty() && op.fields[column.index].absent(values) == values[column.index];
  });
}

ColumnBatch published_batch_of(const OpType& op, std::span<const Row> rows) {
  ColumnBatch batch{.rows = int64_t(rows.size())};
  for (const TableColumn& column : table_columns(op)) {
    if (column.presence == Presence::quality || may_be_left_out(op, column, rows)) continue;
    batch.columns.push_back(column_data(column, rows));
  }
  return batch;
}

// ---- columns to rows -----------------------------------------------------------------------------------------------

/// Where a column's values come from: nothing but nulls is fine for any type.
void check_kind(const ColumnData& data, const TableColumn& column, const std::string& path) {
  const bool whole_numbers_for_reals =
      column.type == CellType::real && data.kind == ColumnData::Kind::integer;
  bool any_known = false;
  for (const uint8_t known : data.known) any_known |= known != 0;
  if (any_known && data.kind != kind_of(column.type) && !whole_numbers_for_reals)
    throw Error(fmt::format("{}: column '{}' is not of type {}", path, column.name, name_of(column.type)));
}

void load_cell(const ColumnData& data, size_t row, CellType type, Cell& cell) {
  if (!data.known[row])
    cell = std::monostate();
  else if (data.kind == ColumnData::Kind::text)
    cell = data.dictionary[size_t(data.codes[row])];
  else if (data.kind == ColumnData::Kind::boolean)
    cell = data.booleans[row] != 0;
  else if (data.kind == ColumnData::Kind::real)
    cell = data.reals[row];
  else if (type == CellType::real)
    cell = double(data.integers[row]);
  else
    cell = data.integers[row];
}

void check_metadata(const OpType& op, const ColumnBatch& batch, const std::string& path) {
  const auto id = batch.metadata.find(kOpKey), revision = batch.metadata.find(kRevisionKey);
  if (id != batch.metadata.end() && id->second != op.info.id)
    throw Error(fmt::format("{}: this is a table of op {}, not of {}", path, id->second, op.info.id));
  if (revision != batch.metadata.end() && revision->second != std::to_string(op.info.revision))
    throw Error(
        fmt::format("{}: written for revision {} of op {}, this program knows revision {}; collect it again",
                    path, revision->second, op.info.id, op.info.revision));
}

std::vector<Row> rows_of(const OpType& op, const ColumnBatch& batch, const std::string& path) {
  check_metadata(op, batch, path);
  const std::vector<TableColumn> columns = table_columns(op);
  std::vector<std::string> header;
  for (const ColumnData& data : batch.columns) header.push_back(data.name);
  const std::vector<size_t> positions = match_header(columns, header, path);
  const std::vector<size_t> absent = absent_columns(columns, positions);
  std::vector<const ColumnData*> data_of(columns.size());
  for (size_t i = 0; i < positions.size(); ++i) {
    data_of[positions[i]] = &batch.columns[i];
    check_kind(batch.columns[i], columns[positions[i]], path);
  }
  std::vector<Row> rows(size_t(batch.rows), empty_row(op));
  Cell cell;
  for (size_t r = 0; r < rows.size(); ++r) {
    const auto refuse = [&](const std::string& reason) {
      throw Error(fmt::format("{}: row {}: {}", path, r + 1, reason));
    };
    for (size_t i = 0; i < columns.size(); ++i) {
      if (data_of[i] == nullptr) continue;
      load_cell(*data_of[i], r, columns[i].type, cell);
      const std::string reason = columns[i].set(rows[r], columns[i].index, cell);
      if (!reason.empty()) refuse(fmt::format("{}: {}", columns[i].name, reason));
    }
    fill_absent(columns, absent, rows[r]);
    if (const std::string problem = row_problem(rows[r]); !problem.empty()) refuse(problem);
  }
  return rows;
}

/// A plug-in call whose errors get the file's name.
template <class Call>
auto naming(const std::string& path, const Call& call) {
  const std::unique_ptr<ParquetCodec> codec = open_parquet_codec();
  try {
    return call(*codec);
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", path, error.what()));
  }
}

}  // namespace

ColumnBatch parse_parquet_columns(std::string_view bytes, const std::string& where) {
  if (is_git_lfs_pointer(bytes)) throw Error(git_lfs_problem(where));
  if (!bytes.starts_with("PAR1"))
    throw Error(fmt::format("{}: this is not a Parquet file; restore or collect it again", where));
  return naming(where, [&](ParquetCodec& codec) { return codec.decode(bytes); });
}

std::vector<Row> read_parquet_table(const OpType& op, const std::string& path) {
  return rows_of(op, parse_parquet_columns(read_file(path), path), path);
}

void write_parquet_table(const OpType& op, std::span<const Row> rows, const std::string& path) {
  for (const Row& row : rows) PERFATLAS_ASSERT(row.c.op == &op);
  replace_file(path, naming(path, [&](ParquetCodec& codec) { return codec.encode(batch_of(op, rows)); }));
}

void write_published_table(const OpType& op, std::span<const Row> rows, const std::string& path) {
  for (const Row& row : rows) PERFATLAS_ASSERT(row.c.op == &op);
  replace_file(path,
               naming(path, [&](ParquetCodec& codec) { return codec.encode(published_batch_of(op, rows)); }));
}

bool parquet_available(std::string& why_not) {
  try {
    (void)open_parquet_codec();
    return true;
  } catch (const Error& error) {
    why_not = error.what();
    return false;
  }
}

}  // namespace perfatlas
