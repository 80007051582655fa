// SPDX-License-Identifier: Apache-2.0
// Rows to columns and back; the bytes are the plug-in's business (parquet_open_impl.h).
#include "perfatlas/store/parquet.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <unordered_set>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/base/parallel.h"
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

/// One column while rows are added. Texts are found by themselves, wherever their only copy, the dictionary, has moved
/// to.
class ColumnBuilder {
 public:
  explicit ColumnBuilder(const TableColumn& column)
      : column_(column), codes_(0, Hash{&data_.dictionary}, Equal{&data_.dictionary}) {
    data_.name = column.name;
    data_.kind = kind_of(column.type);
  }
  ColumnBuilder(const ColumnBuilder&) = delete;
  ColumnBuilder& operator=(const ColumnBuilder&) = delete;

  void append(const Row& row) {
    const Cell cell = column_.get(row, column_.index);
    data_.known.push_back(!std::holds_alternative<std::monostate>(cell));
    const auto value_or_zero = [&]<class T>(T zero) { return data_.known.back() ? std::get<T>(cell) : zero; };
    if (column_.type == CellType::integer) data_.integers.push_back(value_or_zero(int64_t{0}));
    if (column_.type == CellType::real) data_.reals.push_back(value_or_zero(0.0));
    if (column_.type == CellType::boolean) data_.booleans.push_back(value_or_zero(false));
    if (column_.type == CellType::text) data_.codes.push_back(code_of(value_or_zero(std::string())));
  }
  ColumnData result() { return std::move(data_); }

 private:
  struct Hash {
    using is_transparent = void;
    const std::vector<std::string>* words;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    size_t operator()(int32_t code) const { return (*this)((*words)[size_t(code)]); }
  };
  struct Equal {
    using is_transparent = void;
    const std::vector<std::string>* words;
    bool operator()(int32_t a, int32_t b) const { return a == b; }
    bool operator()(std::string_view text, int32_t code) const { return text == (*words)[size_t(code)]; }
    bool operator()(int32_t code, std::string_view text) const { return text == (*words)[size_t(code)]; }
  };

  int32_t code_of(std::string&& text) {
    if (!data_.codes.empty() && data_.dictionary[size_t(data_.codes.back())] == text)
      return data_.codes.back();
    if (const auto found = codes_.find(std::string_view(text)); found != codes_.end()) return *found;
    const auto code = int32_t(data_.dictionary.size());
    data_.dictionary.push_back(std::move(text));
    codes_.insert(code);
    return code;
  }

  const TableColumn& column_;
  ColumnData data_;
  std::unordered_set<int32_t, Hash, Equal> codes_;
};

constexpr size_t kBlockRows = 1 << 13;  // some megabytes of rows at a time
constexpr size_t kLeastPerThread = 1 << 10;

/// The columns of all rows. REQUIRES: every row is of `op`.
ColumnBatch columns_of(const OpType& op, const std::vector<TableColumn>& columns, const RowsToWrite& rows) {
  std::deque<ColumnBuilder> builders;
  for (const TableColumn& column : columns) builders.emplace_back(column);
  std::vector<Row> memory(std::min(kBlockRows, rows.size()));
  std::vector<const Row*> block(memory.size());
  for (size_t start = 0; start < rows.size(); start += kBlockRows) {
    const size_t count = std::min(kBlockRows, rows.size() - start);
    in_parallel(count, kLeastPerThread, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        block[i] = &rows.at(start + i, memory[i]);
        PERFATLAS_ASSERT(block[i]->c.op == &op);
      }
    });
    for_each_parallel(builders.size(), [&](size_t c) {
      for (size_t i = 0; i < count; ++i) builders[c].append(*block[i]);
    });
  }
  ColumnBatch batch{.rows = int64_t(rows.size())};
  for (ColumnBuilder& builder : builders) batch.columns.push_back(builder.result());
  return batch;
}

ColumnBatch batch_of(const OpType& op, const RowsToWrite& rows) {
  ColumnBatch batch = columns_of(op, table_columns(op), rows);
  batch.metadata = {{kOpKey, std::string(op.info.id)}, {kRevisionKey, std::to_string(op.info.revision)}};
  return batch;
}

/// No row has a value there, and readers of a table without the column see the rows as they are.
bool may_be_left_out(const OpType& op, const TableColumn& column, const RowsToWrite& rows) {
  if (column.presence == Presence::required || column.type == CellType::integer) return false;
  Row memory;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows.at(i, memory);
    const Cell cell = column.get(row, column.index);
    const bool tells = column.presence == Presence::power
                           ? !std::holds_alternative<std::monostate>(cell)
                           : cell != Cell(std::string()) ||
                                 op.fields[column.index].absent(row.c.values) != row.c.values[column.index];
    if (tells) return false;
  }
  return true;
}

ColumnBatch published_batch_of(const OpType& op, const RowsToWrite& rows) {
  std::vector<TableColumn> columns = table_columns(op);
  std::erase_if(columns, [&](const TableColumn& column) {
    return column.presence == Presence::quality || may_be_left_out(op, column, rows);
  });
  return columns_of(op, columns, rows);
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

void rows_of(const OpType& op, const ColumnBatch& batch, const std::string& path,
             const std::function<void(Row&&)>& sink) {
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
  const Row blank = empty_row(op);
  Cell cell;
  for (size_t r = 0; r < size_t(batch.rows); ++r) {
    Row row = blank;
    const auto refuse = [&](const std::string& reason) {
      throw Error(fmt::format("{}: row {}: {}", path, r + 1, reason));
    };
    for (size_t i = 0; i < columns.size(); ++i) {
      if (data_of[i] == nullptr) continue;
      load_cell(*data_of[i], r, columns[i].type, cell);
      const std::string reason = columns[i].set(row, columns[i].index, cell);
      if (!reason.empty()) refuse(fmt::format("{}: {}", columns[i].name, reason));
    }
    fill_absent(columns, absent, row);
    if (const std::string problem = row_problem(row); !problem.empty()) refuse(problem);
    sink(std::move(row));
  }
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

void read_parquet_table(const OpType& op, const std::string& path, const std::function<void(Row&&)>& sink) {
  rows_of(op, parse_parquet_columns(read_file(path), path), path, sink);
}

std::vector<Row> read_parquet_table(const OpType& op, const std::string& path) {
  std::vector<Row> rows;
  read_parquet_table(op, path, [&](Row&& row) { rows.push_back(std::move(row)); });
  return rows;
}

void write_parquet_table(const OpType& op, const RowsToWrite& rows, const std::string& path) {
  replace_file(path, naming(path, [&](ParquetCodec& codec) { return codec.encode(batch_of(op, rows)); }));
}

void write_published_table(const OpType& op, const RowsToWrite& rows, const std::string& path) {
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
