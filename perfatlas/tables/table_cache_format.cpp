// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstring>

#include "perfatlas/base/hash.h"
#include "perfatlas/tables/table_cache_format_impl.h"

namespace perfatlas {
namespace {

constexpr size_t kAlignment = 8;

class Writer {
 public:
  void number(uint64_t value) { out_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void text(std::string_view value) { blob(value.data(), value.size()); }
  void blob(const void* data, size_t bytes) {
    number(bytes);
    out_.append(static_cast<const char*>(data), bytes);
    out_.resize((out_.size() + kAlignment - 1) / kAlignment * kAlignment);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

/// Reads what Writer wrote; after the first thing that does not fit, everything is empty and ok() is false.
class Reader {
 public:
  Reader(std::string_view bytes, std::shared_ptr<const void> owner)
      : rest_(bytes), owner_(std::move(owner)) {}
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && rest_.empty(); }

  uint64_t number() {
    uint64_t value = 0;
    if (rest_.size() < sizeof value) return fail();
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  /// A number of things that take at least a byte each.
  size_t count() {
    const uint64_t value = number();
    return value <= rest_.size() ? size_t(value) : size_t(fail());
  }
  std::string_view text() {
    const size_t bytes = count();
    const std::string_view value = rest_.substr(0, bytes);
    const size_t padded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    if (padded > rest_.size()) return fail(), std::string_view();
    rest_.remove_prefix(padded);
    return value;
  }
  /// A blob of exactly `bytes`.
  SharedBytes blob(size_t bytes) {
    const std::string_view value = text();
    if (value.size() != bytes) fail();
    return {value.data(), value.size(), owner_};
  }

 private:
  uint64_t fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  std::shared_ptr<const void> owner_;
  bool ok_ = true;
};

/// Values of enumerations and symbols are written as text: the numbers are this process's own.
void write_column(Writer& out, const PackedColumn& column, std::string (*format)(int64_t)) {
  out.number(column.dictionary().size());
  for (const int64_t value : column.dictionary()) {
    if (format == nullptr)
      out.number(uint64_t(value));
    else
      out.text(format(value));
  }
  out.number(uint64_t(column.width()));
  out.blob(column.codes().data, column.codes().bytes);
}

using Parse = std::optional<int64_t> (*)(std::string_view);

std::optional<PackedColumn> read_column(Reader& in, Parse parse, size_t rows) {
  std::vector<int64_t> dictionary(in.count());
  for (int64_t& value : dictionary) {
    if (parse == nullptr) {
      value = int64_t(in.number());
      continue;
    }
    const std::optional<int64_t> parsed = parse(in.text());
    if (!parsed) return std::nullopt;
    value = *parsed;
  }
  const uint64_t width = in.number();
  if (dictionary.empty() || (width != 0 && width != 1 && width != 2 && width != 4)) return std::nullopt;
  SharedBytes codes = in.blob(size_t(width) * rows);
  if (!in.ok()) return std::nullopt;
  return PackedColumn(std::move(dictionary), int(width), std::move(codes));
}

void write_reals(Writer& out, const RealColumn& column) {
  out.number(uint64_t(column.width()));
  out.blob(column.values().data, column.values().bytes);
}

std::optional<RealColumn> read_reals(Reader& in, size_t rows) {
  const uint64_t width = in.number();
  if (width != 0 && width != sizeof(float) && width != sizeof(double)) return std::nullopt;
  SharedBytes values = in.blob(size_t(width) * rows);
  if (!in.ok()) return std::nullopt;
  return RealColumn(int(width), std::move(values));
}

bool is_text(ValueKind kind) { return kind == ValueKind::enumeration || kind == ValueKind::symbol; }

std::string symbol_text(int64_t id) { return std::string(Symbol::from_id(id).text()); }
std::optional<int64_t> symbol_id(std::string_view text) { return Symbol(text).id(); }

std::optional<FileTableParts> read_parts(const OpType& op, Reader& in) {
  FileTableParts parts{.op = &op};
  parts.rows = size_t(in.number());
  parts.repeats = size_t(in.number());
  parts.left_out = size_t(in.number());
  for (const FieldType& field : op.fields) {
    auto column = read_column(in, is_text(field.kind) ? field.parse : nullptr, parts.rows);
    if (!column) return std::nullopt;
    parts.fields.push_back(std::move(*column));
  }
  auto kernels = read_column(in, symbol_id, parts.rows);
  if (!kernels) return std::nullopt;
  parts.kernels = std::move(*kernels);
  for (size_t i = 0; i <= op.info.measured.size(); ++i) {
    auto column = read_reals(in, parts.rows);
    if (!column) return std::nullopt;
    if (i < op.info.measured.size())
      parts.measured.push_back(std::move(*column));
    else
      parts.power = std::move(*column);
  }
  parts.winners.resize(in.count() / sizeof(uint32_t));
  const SharedBytes winners = in.blob(parts.winners.size() * sizeof(uint32_t));
  if (winners.bytes > 0) std::memcpy(parts.winners.data(), winners.data, winners.bytes);
  parts.contradictions.resize(in.count() / sizeof(Contradiction));
  const SharedBytes contradictions = in.blob(parts.contradictions.size() * sizeof(Contradiction));
  if (contradictions.bytes > 0)
    std::memcpy(parts.contradictions.data(), contradictions.data, contradictions.bytes);
  for (const Contradiction& c : parts.contradictions)
    if (c.row >= parts.rows) return std::nullopt;
  for (size_t left = in.count(); left > 0 && in.ok(); --left) parts.unknown_columns.emplace_back(in.text());
  if (!in.at_end()) return std::nullopt;
  return parts;
}

}  // namespace

uint64_t declaration_hash(const OpType& op) {
  std::string text =
      fmt::format("{} {} {} {}\n", op.info.id, op.info.revision, op.info.op_name, op.info.zero_is_measured);
  const TableMerge& merge = op.layout.merge;
  text += fmt::format("{} {} {}\n", int(merge.repeats), int(merge.files), merge.by_kernel);
  for (const FieldType& field : op.fields) {
    text += fmt::format("{} {} {} {} {}", field.column, int(field.role), int(field.kind), field.distinguishes,
                        field.keyed);
    for (const auto& [value, name] : field.names) text += fmt::format(" {}", name);
    text += '\n';
  }
  for (const AxisType& axis : op.axes) text += fmt::format("{}\n", axis.name);
  for (const MeasuredColumn& column : op.info.measured)
    text += fmt::format("{} {}\n", column.name, column.to_ms);
  for (const std::string_view word : op.info.left_out) text += fmt::format("{}\n", word);
  return hash64(text);
}

std::string encode_table(const FileTable& table) {
  const FileTableParts& parts = table.parts();
  Writer out;
  out.number(parts.rows);
  out.number(parts.repeats);
  out.number(parts.left_out);
  for (size_t i = 0; i < parts.fields.size(); ++i) {
    const FieldType& field = parts.op->fields[i];
    write_column(out, parts.fields[i], is_text(field.kind) ? field.format : nullptr);
  }
  write_column(out, parts.kernels, symbol_text);
  for (const RealColumn& column : parts.measured) write_reals(out, column);
  write_reals(out, parts.power);
  out.number(parts.winners.size() * sizeof(uint32_t));
  out.blob(parts.winners.data(), parts.winners.size() * sizeof(uint32_t));
  out.number(parts.contradictions.size() * sizeof(Contradiction));
  out.blob(parts.contradictions.data(), parts.contradictions.size() * sizeof(Contradiction));
  out.number(parts.unknown_columns.size());
  for (const std::string& name : parts.unknown_columns) out.text(name);
  return out.take();
}

std::optional<FileTable> decode_table(const OpType& op, const SharedBytes& bytes) {
  Reader in({static_cast<const char*>(bytes.data), bytes.bytes}, bytes.owner);
  std::optional<FileTableParts> parts = read_parts(op, in);
  if (!parts) return std::nullopt;
  return FileTable(std::move(*parts));
}

}  // namespace perfatlas
