// SPDX-License-Identifier: Apache-2.0
// An op declaration as data: what code that serves every op (files, plans, tables, command line) works on.
// schema/derive.h makes an OpType from a declaration; nothing here is written per op.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/schema/op.h"

namespace perfatlas {

class OpType;

inline constexpr size_t kMaxFields = 24;

/// The fields of an op in declaration order, each as an integer: itself, 0/1, the enumerator, or Symbol::id().
/// Entries beyond the op's field count are 0.
using FieldValues = std::array<int64_t, kMaxFields>;

/// One value of one op: a case to measure, a table row's key, a query.
struct Case {
  const OpType* op = nullptr;
  FieldValues values{};
  bool operator==(const Case&) const = default;
};

enum class ValueKind { integer, boolean, enumeration, symbol };

struct FieldType {
  std::string_view column;
  std::string_view flag;
  std::string_view doc;
  Role role = Role::exact;
  bool distinguishes = false;  // see Field::distinguishing
  bool keyed = false;          // key_of() is not the value itself
  ValueKind kind = ValueKind::integer;
  int64_t default_value = 0;
  std::vector<std::pair<int64_t, std::string_view>> names;  // enumerations: value, written name
  /// Text in files; never empty except for the empty symbol.
  std::string (*format)(int64_t) = nullptr;
  /// The value of a text (names and aliases for enumerations), or nothing.
  std::optional<int64_t> (*parse)(std::string_view) = nullptr;
  /// The value in a table that lacks the column, from the other fields; null: the column is required.
  std::function<int64_t(const FieldValues&)> absent = nullptr;
  /// "integer", "bool", "text" or the list of names; for help and errors.
  std::string expected() const;
};

struct AxisType {
  std::string_view name;
  Transform transform = Transform::raw;
  Beyond beyond = Beyond::work;
  int64_t (*get)(const FieldValues&) = nullptr;
  void (*set)(FieldValues&, int64_t) = nullptr;
  std::optional<size_t> field = std::nullopt;  // get() is the value of this field
};

/// Values of the exact fields in declaration order (derived keys applied): which slice of a table a case is in.
using SliceKey = std::vector<int64_t>;

class OpType {
 public:
  OpInfo info;
  TableLayout layout;
  std::vector<FieldType> fields;
  std::vector<AxisType> axes;

  /// Why the case makes no sense anywhere, or empty. Includes non-positive sizes.
  std::string_view (*why_invalid)(const FieldValues&) = nullptr;
  Work (*work)(const FieldValues&) = nullptr;
  /// The work at positions on the axes, in their order, all else being as in `prototype`; for questions that come by
  /// the million: the op is decoded once.
  std::function<Work(const int64_t* at)> (*work_along)(const FieldValues& prototype) = nullptr;
  Operands (*operands)(const FieldValues&) = nullptr;                          // null: imported only
  void (*reference)(const FieldValues&, std::vector<HostOperand>&) = nullptr;  // null: none
  void (*model_cases)(const ModelShapes&, const std::function<void(const FieldValues&)>&) = nullptr;
  void (*aic_cases)(const AicGrid&, const std::function<void(const FieldValues&)>&) = nullptr;  // null: none
  int64_t (*key_of)(const FieldValues&, size_t field) = nullptr;  // see Field::keyed_by
  /// What a published row is to this op, or nothing (schema/op.h). Null: always the values themselves.
  std::optional<FieldValues> (*published)(const FieldValues&, int64_t kernel_symbol) = nullptr;

  FieldValues defaults() const;
  SliceKey slice_of(const FieldValues&) const;
  /// The field whose column or flag is `name`, or nothing.
  std::optional<size_t> find_field(std::string_view name) const;
  /// Stem of published files: OpInfo::published_table, else OpInfo::table.
  std::string_view published_table() const {
    return info.published_table.empty() ? info.table : info.published_table;
  }
  /// The op has kernels' operands and can be measured (as opposed to imported tables).
  bool measurable() const { return operands != nullptr; }
};

/// "gemm_dtype=bfloat16 m=8 n=4096 k=4096": every field, columns and file texts, in declaration order.
std::string fields_text(const Case&);

/// The op id and fields_text; the case part of protocol lines and the journal.
std::string case_text(const Case&);

/// "perfatlas bench gemm --dtype bfloat16 --m 8 ...": reruns exactly this case; defaults omitted.
std::string repro_line(const Case&);

/// Identity of a case, independent of the order of fields: hash64 of "id/revision" and the sorted "column=text"
/// pairs, joined by spaces. Written in rows and journals as hex16.
uint64_t case_id(const Case&);

/// Sets one field from text. Throws UsageError naming the field, the text and what is expected.
void set_field(Case&, std::string_view field_name, std::string_view text);

/// The inverse of fields_text for one op. Throws Error on an unknown, repeated, missing or malformed field.
Case parse_fields(const OpType&, std::string_view text);

/// Bytes of all operands together.
double operand_bytes(const Case&);

}  // namespace perfatlas
