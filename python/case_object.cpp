// SPDX-License-Identifier: Apache-2.0
#include "case_object.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"

namespace py = pybind11;

namespace perfatlas {
namespace {

std::string_view kind_name(ValueKind kind) {
  switch (kind) {
    case ValueKind::integer:
      return "int";
    case ValueKind::boolean:
      return "bool";
    case ValueKind::enumeration:
    case ValueKind::symbol:
      return "str";
  }
  return "str";
}

py::object value_object(const FieldType& field, int64_t value) {
  if (field.kind == ValueKind::integer) return py::int_(value);
  if (field.kind == ValueKind::boolean) return py::bool_(value != 0);
  return py::str(field.format(value));
}

std::string value_text(const FieldType& field, const py::handle& value) {
  if (py::isinstance<py::bool_>(value)) return value.cast<bool>() ? "true" : "false";
  // Integers of numpy are accepted as integers, a fraction is not.
  if (field.kind == ValueKind::integer && PyIndex_Check(value.ptr()))
    return std::to_string(py::int_(py::reinterpret_borrow<py::object>(value)).cast<int64_t>());
  return py::str(value).cast<std::string>();
}

size_t field_of(const OpType& op, const std::string& name) {
  if (const auto found = op.find_field(name)) return *found;
  std::string known;
  for (const FieldType& field : op.fields)
    known += fmt::format("{}{}", known.empty() ? "" : ", ", field.flag);
  throw UsageError(fmt::format("{} has no field '{}'; it has {}", op.info.id, name, known));
}

}  // namespace

py::dict declaration_object(const OpType& op) {
  py::list fields;
  const FieldValues defaults = op.defaults();
  for (size_t i = 0; i < op.fields.size(); ++i) {
    const FieldType& field = op.fields[i];
    py::list choices;
    for (const auto& [value, name] : field.names) choices.append(py::str(std::string(name)));
    fields.append(py::dict(
        py::arg("name") = std::string(field.flag), py::arg("column") = std::string(field.column),
        py::arg("doc") = std::string(field.doc), py::arg("kind") = std::string(kind_name(field.kind)),
        py::arg("default") = value_object(field, defaults[i]), py::arg("choices") = choices));
  }
  return py::dict(py::arg("id") = std::string(op.info.id), py::arg("doc") = std::string(op.info.doc),
                  py::arg("fields") = fields);
}

Case case_of(const OpType& op, const py::dict& fields) {
  Case c{&op, op.defaults()};
  for (const auto& [name, value] : fields) {
    const size_t i = field_of(op, py::str(name).cast<std::string>());
    set_field(c, op.fields[i].column, value_text(op.fields[i], value));
  }
  return c;
}

bool has_arrays(const py::dict& fields) {
  for (const auto& [name, value] : fields)
    if (py::isinstance<py::array>(value) && py::reinterpret_borrow<py::array>(value).ndim() > 0) return true;
  return false;
}

CaseArray cases_of(const OpType& op, const py::dict& fields) {
  py::dict scalars;
  std::vector<size_t> varying;
  py::list arrays;
  for (const auto& [name, value] : fields) {
    if (!py::isinstance<py::array>(value)) {
      scalars[name] = value;
      continue;
    }
    const size_t i = field_of(op, py::str(name).cast<std::string>());
    const auto array = py::reinterpret_borrow<py::array>(value);
    if (op.fields[i].kind != ValueKind::integer ||
        (array.dtype().kind() != 'i' && array.dtype().kind() != 'u'))
      throw UsageError(fmt::format("{}: an array can only stand for an integer field and must hold integers",
                                   op.fields[i].flag));
    varying.push_back(i);
    arrays.append(value);
  }
  const py::list together = py::module_::import("numpy").attr("broadcast_arrays")(*py::tuple(arrays));
  CaseArray result;
  std::vector<py::array_t<int64_t, py::array::c_style | py::array::forcecast>> columns;
  for (const py::handle column : together) columns.emplace_back(py::reinterpret_borrow<py::object>(column));
  result.shape.assign(columns[0].shape(), columns[0].shape() + columns[0].ndim());
  result.cases.assign(size_t(columns[0].size()), case_of(op, scalars));
  for (size_t column = 0; column < columns.size(); ++column) {
    const int64_t* const values = columns[column].data();
    for (size_t row = 0; row < result.cases.size(); ++row)
      result.cases[row].values[varying[column]] = values[row];
  }
  return result;
}

}  // namespace perfatlas
