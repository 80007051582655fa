// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/python_stub.h"

#include <fmt/format.h>

#include <cctype>

#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

std::string class_name(std::string_view id) {
  std::string name;
  for (const std::string_view part : split(id, '_'))
    for (size_t i = 0; i < part.size(); ++i) name += i == 0 ? char(std::toupper(uint8_t(part[i]))) : part[i];
  return name;
}

std::string type_of(const FieldType& field) {
  switch (field.kind) {
    case ValueKind::integer:
      return "IntOrArray";
    case ValueKind::boolean:
      return "bool";
    case ValueKind::symbol:
      return "str";
    case ValueKind::enumeration:
      break;
  }
  std::string names;
  for (const auto& [value, name] : field.names)
    names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", name);
  return fmt::format("Literal[{}]", names);
}

std::string default_of(const FieldType& field, int64_t value) {
  if (field.kind == ValueKind::integer) return std::to_string(value);
  if (field.kind == ValueKind::boolean) return value != 0 ? "True" : "False";
  return fmt::format("\"{}\"", field.format(value));
}

std::string class_stub(const OpType& op) {
  std::string text = fmt::format("\nclass {}:\n    \"\"\"{}\"\"\"\n    op_id: ClassVar[str]\n",
                                 class_name(op.info.id), op.info.doc);
  for (const FieldType& field : op.fields)
    text += fmt::format("    {}: {}  # {}\n", field.flag, type_of(field), field.doc);
  text += "    def __init__(\n        self,\n        *,\n";
  const FieldValues defaults = op.defaults();
  for (size_t i = 0; i < op.fields.size(); ++i)
    text += fmt::format("        {}: {} = {},\n", op.fields[i].flag, type_of(op.fields[i]),
                        default_of(op.fields[i], defaults[i]));
  return text + "    ) -> None: ...\n";
}

}  // namespace

std::string python_stub(const OpRegistry& ops) {
  std::string text =
      "# SPDX-License-Identifier: Apache-2.0\n"
      "# Made by `make docs` from the declarations in perfatlas/ops/; CI fails when it is stale.\n"
      "from typing import Any, ClassVar, Literal, Union\n\nimport numpy\n\n"
      "IntOrArray = Union[int, numpy.ndarray[Any, Any]]\n";
  for (const auto& op : ops.ops()) text += class_stub(*op);
  return text;
}

}  // namespace perfatlas
