// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/file_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/tables/row_key_impl.h"

namespace perfatlas {
namespace {

constexpr std::string_view kOpName = "op_name", kKernelSource = "kernel_source", kPower = "power";

constexpr int64_t kLargestSize = int64_t{1} << 53;  // larger ones are no doubles any more
constexpr double kMostLatencyMs = 24 * 3600e3;      // no launch takes a day: a bound for damaged numbers

/// Columns that tables have beside those of their op.
constexpr std::string_view kIdentityColumns[] = {"framework",   "version", "device",     kOpName,
                                                 kKernelSource, kPower,    "power_limit"};

std::string_view kind_name(ColumnData::Kind kind) {
  constexpr std::string_view kNames[] = {"integers", "numbers", "true or false", "texts"};
  return kNames[size_t(kind)];
}

ColumnData::Kind kind_of(ValueKind kind) {
  if (kind == ValueKind::integer) return ColumnData::Kind::integer;
  return kind == ValueKind::boolean ? ColumnData::Kind::boolean : ColumnData::Kind::text;
}

/// The texts of a column by code. Columns of numbers can stand where a text is expected (a CSV file does not say).
struct TextView {
  explicit TextView(const ColumnData& column) : data(column) {}
  const ColumnData& data;

  std::string text(size_t row) const {
    if (data.known[row] == 0) return {};
    if (data.kind == ColumnData::Kind::text) return data.dictionary[size_t(data.codes[row])];
    if (data.kind == ColumnData::Kind::integer) return std::to_string(data.integers[row]);
    if (data.kind == ColumnData::Kind::real) return fmt::format("{}", data.reals[row]);
    return data.booleans[row] != 0 ? "true" : "false";
  }
};

}  // namespace

FieldValues FileTable::values(size_t row) const {
  FieldValues values{};
  for (size_t i = 0; i < parts_.fields.size(); ++i) values[i] = parts_.fields[i][row];
  return values;
}

/// Columns of a file become a FileTable. Texts are understood once per distinct text, not once per row.
class FileTableMaker {
 public:
  FileTableMaker(const OpType& op, const ColumnBatch& batch, const std::string& name)
      : op_(op), batch_(batch), name_(name), values_(op.fields.size()) {}

  FileTable make() {
    refuse_repeated_columns();
    find_own_rows();
    for (size_t i = 0; i < op_.fields.size(); ++i)
      if (const ColumnData* const data = find(op_.fields[i].column)) read_field(i, *data);
    leave_out();
    fill_absent();
    read_kernels();
    if (op_.published != nullptr) apply_published();
    parts_.left_out = dropped_;
    if (keys_repeat()) {
      drop_repeats();
      find_winners();
    }
    return FileTable(pack());
  }

 private:
  [[noreturn]] void refuse(const std::string& reason) const {
    throw Error(fmt::format("{}: {}", name_, reason));
  }
  [[noreturn]] void refuse_row(size_t row, std::string_view column, const std::string& reason) const {
    refuse(fmt::format("row {}: {}: {}", row + 1, column, reason));
  }
  const ColumnData* find(std::string_view column) const {
    const auto at = std::find_if(batch_.columns.begin(), batch_.columns.end(),
                                 [&](const ColumnData& data) { return data.name == column; });
    return at == batch_.columns.end() ? nullptr : &*at;
  }

  void refuse_repeated_columns() const {
    for (const ColumnData& data : batch_.columns)
      if (find(data.name) != &data) refuse(fmt::format("column '{}' occurs twice", data.name));
  }

  /// Rows whose op_name is the op's; all of them when a field claims that column or the file has none.
  void find_own_rows() {
    const ColumnData* const names = op_.find_field(kOpName) ? nullptr : find(kOpName);
    rows_.reserve(size_t(batch_.rows));
    std::vector<uint8_t> is_own;  // by code
    if (names != nullptr)
      for (const std::string& word : names->dictionary) is_own.push_back(word == op_.info.op_name);
    for (uint32_t row = 0; row < uint32_t(batch_.rows); ++row) {
      bool own = names == nullptr;
      if (!own && names->kind == ColumnData::Kind::text)
        own = names->known[row] != 0 && is_own[size_t(names->codes[row])] != 0;
      if (own) rows_.push_back(row);
    }
  }

  void read_field(size_t index, const ColumnData& data) {
    const FieldType& field = op_.fields[index];
    if (data.kind == kind_of(field.kind) && data.kind != ColumnData::Kind::text)
      return read_numbers(index, data);
    if (kind_of(field.kind) == ColumnData::Kind::integer || data.kind == ColumnData::Kind::boolean)
      refuse_kind(data, kind_name(kind_of(field.kind)),
                  [&](const std::string& text) { return field.parse(text).has_value(); });
    read_texts(index, data);
  }

  void read_numbers(size_t index, const ColumnData& data) {
    std::vector<int64_t>& values = values_[index];
    values.reserve(rows_.size());
    for (const uint32_t row : rows_) {
      if (data.known[row] == 0) refuse_row(row, data.name, "it is empty");
      values.push_back(data.kind == ColumnData::Kind::integer ? data.integers[row] : data.booleans[row]);
    }
  }

  void read_texts(size_t index, const ColumnData& data) {
    const FieldType& field = op_.fields[index];
    const TextView view(data);
    std::vector<std::optional<int64_t>> known(data.dictionary.size());
    values_[index].reserve(rows_.size());
    for (const uint32_t row : rows_) {
      std::optional<int64_t>* const cached = data.kind == ColumnData::Kind::text && data.known[row] != 0
                                                 ? &known[size_t(data.codes[row])]
                                                 : nullptr;
      if (cached == nullptr || !*cached) {
        const std::optional<int64_t> value = parse(field, view.text(row), row);
        if (cached != nullptr) *cached = value;
        values_[index].push_back(*value);
      } else {
        values_[index].push_back(**cached);
      }
    }
  }

  int64_t parse(const FieldType& field, const std::string& text, size_t row) const {
    const auto& out = op_.info.left_out;
    if (std::find(out.begin(), out.end(), text) != out.end()) return kLeftOut;
    if (text.empty() && field.kind != ValueKind::symbol) refuse_row(row, field.column, "it is empty");
    const auto value = field.parse(text);
    if (!value)
      refuse_row(row, field.column, fmt::format("'{}' is not {}", text.substr(0, 40), field.expected()));
    return *value;
  }

  /// Keeps the rows for which `keep` is true, in what has been read so far.
  void keep_rows(const std::vector<uint8_t>& keep) {
    const auto thin = [&](auto& values) {
      size_t to = 0;
      for (size_t i = 0; i < values.size(); ++i)
        if (keep[i] != 0) values[to++] = values[i];
      values.resize(to);
    };
    dropped_ += size_t(std::count(keep.begin(), keep.end(), uint8_t{0}));
    thin(rows_);
    thin(kernels_);
    for (std::vector<int64_t>& values : values_) thin(values);
  }

  void leave_out() {
    if (op_.info.left_out.empty()) return;
    std::vector<uint8_t> keep(rows_.size(), 1);
    for (const std::vector<int64_t>& values : values_)
      for (size_t i = 0; i < values.size(); ++i)
        if (values[i] == kLeftOut) keep[i] = 0;
    keep_rows(keep);
  }

  void fill_absent() {
    for (size_t index = 0; index < op_.fields.size(); ++index) {
      const FieldType& field = op_.fields[index];
      if (find(field.column) != nullptr) continue;
      if (!field.absent) refuse(fmt::format("column '{}' is missing", field.column));
      values_[index].resize(rows_.size());
      for (size_t i = 0; i < rows_.size(); ++i) values_[index][i] = field.absent(row_values(i));
    }
  }

  FieldValues row_values(size_t i) const {
    FieldValues values{};
    for (size_t f = 0; f < values_.size(); ++f) values[f] = values_[f].empty() ? 0 : values_[f][i];
    return values;
  }

  void read_kernels() {
    kernels_.assign(rows_.size(), Symbol().id());
    const ColumnData* const data = find(kKernelSource);
    if (data == nullptr) return;
    std::vector<int64_t> symbols;
    for (const std::string& word : data->dictionary) symbols.push_back(Symbol(word).id());
    for (size_t i = 0; i < rows_.size(); ++i) {
      const uint32_t row = rows_[i];
      if (data->known[row] == 0) continue;
      kernels_[i] = data->kind == ColumnData::Kind::text ? symbols[size_t(data->codes[row])]
                                                         : Symbol(TextView(*data).text(row)).id();
    }
  }

  void apply_published() {
    std::vector<uint8_t> keep(rows_.size(), 1);
    for (size_t i = 0; i < rows_.size(); ++i) {
      const std::optional<FieldValues> meant = op_.published(row_values(i), kernels_[i]);
      keep[i] = meant.has_value();
      if (meant)
        for (size_t f = 0; f < values_.size(); ++f) values_[f][i] = (*meant)[f];
    }
    keep_rows(keep);
  }

  double real_at(const ColumnData& data, size_t row) const {
    if (data.known[row] == 0) refuse_row(row, data.name, "it is empty");
    const double value = data.kind == ColumnData::Kind::real ? data.reals[row] : double(data.integers[row]);
    if (!std::isfinite(value)) refuse_row(row, data.name, fmt::format("{} is not a finite number", value));
    if (value < 0) refuse_row(row, data.name, fmt::format("{} is negative", value));
    return value;
  }

  void need_numbers(const ColumnData& data) const {
    if (data.kind != ColumnData::Kind::real && data.kind != ColumnData::Kind::integer)
      refuse_kind(data, "numbers", [](const std::string& text) { return parse_real(text).has_value(); });
  }

  /// A column of another kind than it should be. A CSV file has texts where one cell is no number: that one is named.
  template <class Fits>
  [[noreturn]] void refuse_kind(const ColumnData& data, std::string_view expected, const Fits& fits) const {
    if (data.kind == ColumnData::Kind::text)
      for (size_t row = 0; row < data.known.size(); ++row)
        if (const std::string text = TextView(data).text(row); !text.empty() && !fits(text))
          refuse_row(row, data.name,
                     fmt::format("'{}' stands where {} are expected", text.substr(0, 40), expected));
    refuse(
        fmt::format("column '{}' holds {} where {} are expected", data.name, kind_name(data.kind), expected));
  }

  std::vector<double> read_measured(const MeasuredColumn& column) const {
    const ColumnData* const data = find(column.name);
    if (data == nullptr) refuse(fmt::format("column '{}' is missing", column.name));
    if (batch_.rows > 0) need_numbers(*data);
    std::vector<double> values;
    values.reserve(rows_.size());
    for (const uint32_t row : rows_) values.push_back(real_at(*data, row));
    return values;
  }

  void check_latencies(const std::vector<std::vector<double>>& measured) const {
    for (size_t i = 0; i < rows_.size(); ++i) {
      double sum = 0;
      for (size_t m = 0; m < measured.size(); ++m) sum += measured[m][i] * op_.info.measured[m].to_ms;
      if (sum <= 0 && !op_.info.zero_is_measured)
        refuse_row(rows_[i], op_.info.measured[0].name, "it is not positive");
      if (sum > kMostLatencyMs) refuse_row(rows_[i], op_.info.measured[0].name, "it is longer than a day");
    }
  }

  /// Two rows have one key, of whatever kernels. Most files have none such.
  bool keys_repeat() const {
    const RowKeys keys(op_);
    RowKeyMap seen(rows_.size());
    bool is_new = true;
    for (uint32_t i = 0; i < uint32_t(rows_.size()) && is_new; ++i)
      seen.add(keys.key(row_values(i)), i, is_new);
    return !is_new;
  }

  /// Of rows of one kernel that have one key, one counts.
  void drop_repeats() {
    const RowKeys keys(op_);
    const auto rule = op_.layout.merge.repeats;
    RowKeyMap seen(rows_.size());
    std::vector<uint32_t> dropped;
    bool is_new = false;
    for (uint32_t i = 0; i < uint32_t(rows_.size()); ++i) {
      uint32_t& kept = seen.add(keys.kernel_key(row_values(i), kernels_[i]), i, is_new);
      if (is_new) continue;
      if (rule == TableMerge::Repeats::refused)
        refuse(fmt::format("row {} repeats row {}", rows_[i] + 1, rows_[kept] + 1));
      const bool last = rule == TableMerge::Repeats::last_counts;
      dropped.push_back(last ? kept : i);
      if (last) kept = i;
    }
    std::vector<uint8_t> keep(rows_.size(), 1);
    std::vector<Contradiction> found;
    for (const uint32_t i : dropped) {
      keep[i] = 0;
      const uint32_t kept = seen.add(keys.kernel_key(row_values(i), kernels_[i]), i, is_new);
      const double counts = latency_or_zero(kept), other = latency_or_zero(i);
      if (counts > 0 && other > 0 && counts != other) found.push_back({kept, other});
    }
    note_contradictions(std::move(found), keep);
    keep_rows(keep);
    parts_.repeats = dropped_ - parts_.left_out;
  }

  /// `found`: with rows before those that are not to be kept are dropped.
  void note_contradictions(std::vector<Contradiction> found, const std::vector<uint8_t>& keep) {
    const auto by_row = [](const Contradiction& a, const Contradiction& b) { return a.row < b.row; };
    std::stable_sort(found.begin(), found.end(), by_row);
    size_t before = 0, next = 0;
    for (size_t i = 0; i < keep.size() && next < found.size(); ++i) {
      if (found[next].row == i) parts_.contradictions.push_back({before, found[next].other_ms});
      while (next < found.size() && found[next].row == i) ++next;
      before += keep[i];
    }
  }

  /// Of a row that is perhaps not to be read: 0 where its latency is unknown or no number.
  double latency_or_zero(size_t i) const {
    double sum = 0;
    for (const MeasuredColumn& column : op_.info.measured) {
      const ColumnData* const data = find(column.name);
      const bool numbers = data != nullptr &&
                           (data->kind == ColumnData::Kind::real || data->kind == ColumnData::Kind::integer);
      if (!numbers || data->known[rows_[i]] == 0) return 0;
      const double value =
          data->kind == ColumnData::Kind::real ? data->reals[rows_[i]] : double(data->integers[rows_[i]]);
      sum += value * column.to_ms;
    }
    return std::isfinite(sum) ? sum : 0;
  }

  /// Where kernels are not told apart, of rows of several kernels that have one key one counts.
  void find_winners() {
    if (op_.layout.merge.by_kernel) return;
    const RowKeys keys(op_);
    RowKeyMap seen(rows_.size());
    std::vector<uint32_t> winners;
    for (uint32_t i = 0; i < uint32_t(rows_.size()); ++i) {
      bool is_new = false;
      seen.add(keys.key(row_values(i)), i, is_new);
      if (is_new) winners.push_back(i);
    }
    if (winners.size() != rows_.size()) parts_.winners = std::move(winners);
  }

  /// Axes run over sizes.
  void check_sizes() const {
    for (const AxisType& axis : op_.axes) {
      if (!axis.field) continue;
      const std::vector<int64_t>& values = values_[*axis.field];
      for (size_t i = 0; i < values.size(); ++i) {
        if (values[i] >= 0 && values[i] <= kLargestSize) continue;
        refuse_row(rows_[i], op_.fields[*axis.field].column,
                   fmt::format("{} is {}", values[i], values[i] < 0 ? "negative" : "no size"));
      }
    }
  }

  FileTableParts pack() {
    check_sizes();
    std::vector<std::vector<double>> measured;
    for (const MeasuredColumn& column : op_.info.measured) measured.push_back(read_measured(column));
    check_latencies(measured);
    parts_.op = &op_;
    parts_.rows = rows_.size();
    for (const std::vector<double>& column : measured) parts_.measured.emplace_back(column);
    if (const ColumnData* const power = find(kPower)) parts_.power = RealColumn(read_power(*power));
    for (const std::vector<int64_t>& values : values_) parts_.fields.emplace_back(values);
    parts_.kernels = PackedColumn(kernels_);
    parts_.unknown_columns = unknown_columns();
    return std::move(parts_);
  }

  std::vector<double> read_power(const ColumnData& data) const {
    if (batch_.rows > 0) need_numbers(data);
    std::vector<double> values;
    values.reserve(rows_.size());
    for (const uint32_t row : rows_) values.push_back(data.known[row] == 0 ? 0 : real_at(data, row));
    return values;
  }

  std::vector<std::string> unknown_columns() const {
    std::vector<std::string> unknown;
    for (const ColumnData& data : batch_.columns) {
      const auto is_name = [&](std::string_view name) { return data.name == name; };
      const bool known =
          std::any_of(std::begin(kIdentityColumns), std::end(kIdentityColumns), is_name) ||
          std::any_of(op_.fields.begin(), op_.fields.end(), [&](auto& f) { return is_name(f.column); }) ||
          std::any_of(op_.info.measured.begin(), op_.info.measured.end(),
                      [&](auto& m) { return is_name(m.name); });
      if (!known) unknown.push_back(data.name);
    }
    return unknown;
  }

  static constexpr int64_t kLeftOut = INT64_MIN;  // no enumerator and no symbol
  const OpType& op_;
  const ColumnBatch& batch_;
  const std::string& name_;
  std::vector<uint32_t> rows_;                // of the file, that are kept
  std::vector<std::vector<int64_t>> values_;  // by field, for each of rows_
  std::vector<int64_t> kernels_;              // symbols, for each of rows_
  size_t dropped_ = 0;                        // rows that keep_rows has taken away
  FileTableParts parts_;
};

FileTable make_file_table(const OpType& op, const ColumnBatch& batch, const std::string& name) {
  return FileTableMaker(op, batch, name).make();
}

}  // namespace perfatlas
