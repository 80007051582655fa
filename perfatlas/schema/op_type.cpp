// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/schema/op_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/base/text.h"

namespace perfatlas {

std::string FieldType::expected() const {
  switch (kind) {
    case ValueKind::integer:
      return "an integer";
    case ValueKind::boolean:
      return "true or false";
    case ValueKind::symbol:
      return "a text without spaces, commas or quotes";
    case ValueKind::enumeration:
      break;
  }
  std::vector<std::string_view> words;
  for (const auto& [value, name] : names) words.push_back(name);
  return "one of " + join_words(words);
}

FieldValues OpType::defaults() const {
  FieldValues values{};
  for (size_t i = 0; i < fields.size(); ++i) values[i] = fields[i].default_value;
  return values;
}

SliceKey OpType::slice_of(const FieldValues& values) const {
  SliceKey key;
  key.reserve(fields.size());
  for (size_t i = 0; i < fields.size(); ++i)
    if (fields[i].role == Role::exact) key.push_back(fields[i].keyed ? key_of(values, i) : values[i]);
  return key;
}

std::optional<size_t> OpType::find_field(std::string_view name) const {
  for (size_t i = 0; i < fields.size(); ++i)
    if (fields[i].column == name || fields[i].flag == name) return i;
  return std::nullopt;
}

namespace {

std::vector<std::string> column_texts(const Case& c) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < c.op->fields.size(); ++i)
    texts.push_back(fmt::format("{}={}", c.op->fields[i].column, c.op->fields[i].format(c.values[i])));
  return texts;
}

std::vector<std::string_view> flags_of(const OpType& op) {
  std::vector<std::string_view> flags;
  for (const FieldType& field : op.fields) flags.push_back(field.flag);
  return flags;
}

}  // namespace

std::string fields_text(const Case& c) { return fmt::format("{}", fmt::join(column_texts(c), " ")); }

std::string case_text(const Case& c) { return fmt::format("{} {}", c.op->info.id, fields_text(c)); }

std::string repro_line(const Case& c) {
  std::string line = fmt::format("perfatlas bench {}", c.op->info.id);
  for (size_t i = 0; i < c.op->fields.size(); ++i) {
    const FieldType& field = c.op->fields[i];
    if (c.values[i] != field.default_value)
      line += fmt::format(" --{} {}", field.flag, field.format(c.values[i]));
  }
  return line;
}

namespace {

/// Whether "column=text" of `a` sorts before that of `b`: columns differ, so that the texts never decide.
bool sorts_before(const FieldType& a, const FieldType& b) {
  const size_t shared = std::min(a.column.size(), b.column.size());
  if (const int order = a.column.substr(0, shared).compare(b.column.substr(0, shared))) return order < 0;
  return (shared < a.column.size() ? a.column[shared] : '=') <
         (shared < b.column.size() ? b.column[shared] : '=');
}

}  // namespace

uint64_t case_id(const Case& c) {
  const std::vector<FieldType>& fields = c.op->fields;
  std::array<uint8_t, kMaxFields> order{};
  const auto end = order.begin() + std::ptrdiff_t(fields.size());
  std::iota(order.begin(), end, uint8_t{0});
  std::sort(order.begin(), end, [&](uint8_t a, uint8_t b) { return sorts_before(fields[a], fields[b]); });
  std::string text = fmt::format("{}/{}", c.op->info.id, c.op->info.revision);
  for (auto at = order.begin(); at != end; ++at) {
    text += ' ';
    text += fields[*at].column;
    text += '=';
    text += fields[*at].format(c.values[*at]);
  }
  return hash64(text);
}

void set_field(Case& c, std::string_view field_name, std::string_view text) {
  const auto at = c.op->find_field(field_name);
  if (!at)
    throw UsageError(fmt::format("op {} has no field '{}'; its fields are {}", c.op->info.id, field_name,
                                 join_words(flags_of(*c.op))));
  const auto value = c.op->fields[*at].parse(text);
  if (!value)
    throw UsageError(fmt::format("{} --{}: '{}' is not {}", c.op->info.id, c.op->fields[*at].flag, text,
                                 c.op->fields[*at].expected()));
  c.values[*at] = *value;
}

Case parse_fields(const OpType& op, std::string_view text) {
  Case c{&op, op.defaults()};
  std::array<bool, kMaxFields> seen{};
  for (const std::string_view pair : split(trim(text), ' ')) {
    const size_t equals = pair.find('=');
    const auto at = equals == pair.npos ? std::nullopt : op.find_field(pair.substr(0, equals));
    if (!at || seen[*at])
      throw Error(fmt::format("case of {}: '{}' is no new field=value pair", op.info.id, pair));
    set_field(c, pair.substr(0, equals), pair.substr(equals + 1));
    seen[*at] = true;
  }
  for (size_t i = 0; i < op.fields.size(); ++i)
    if (!seen[i])
      throw Error(fmt::format("case of {}: field '{}' is missing", op.info.id, op.fields[i].column));
  return c;
}

double operand_bytes(const Case& c) {
  double bytes = 0;
  for (const Operand& operand : c.op->operands(c.values)) bytes += operand.bytes();
  return bytes;
}

}  // namespace perfatlas
