// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/op_text.h"

#include <fmt/format.h>

namespace perfatlas {
namespace {

std::string_view role_name(Role role) {
  switch (role) {
    case Role::exact:
      return "exact";
    case Role::axis:
      return "axis";
    case Role::recorded:
      return "recorded";
  }
  return "";
}

std::string axes_text(const OpType& op) {
  std::string text;
  for (const AxisType& axis : op.axes)
    text += fmt::format("{}{}{}", text.empty() ? "" : ", ", axis.name,
                        axis.transform == Transform::sqrt ? " (sqrt)" : "");
  return text;
}

std::string resolver_text(const OpType& op) {
  if (op.layout.resolver == Resolver::grid) return "grid over " + axes_text(op) + ", outermost first";
  return fmt::format("{} scattered sites axes, then a curve: {}", op.layout.site_axes, axes_text(op));
}

std::string measured_text(const OpType& op) {
  std::string text;
  for (const MeasuredColumn& column : op.info.measured)
    text += fmt::format("{}{} [{}]", text.empty() ? "" : ", ", column.name, column.unit);
  return text;
}

/// What a query names: the fields that decide its answer.
std::string query_signature(const OpType& op) {
  std::string text = fmt::format("perfatlas query {}", op.info.id);
  for (const FieldType& field : op.fields)
    if (field.role != Role::recorded) text += fmt::format(" --{} ...", field.flag);
  return text;
}

uint64_t published_cases(const OpType& op, const AicGrid& grid) {
  uint64_t count = 0;
  op.aic_cases(grid, [&](const FieldValues&) { ++count; });
  return count;
}

/// Which grids there are, with the number of rows of the published ones.
std::string cases_text(const OpType& op) {
  std::string text = op.model_cases != nullptr ? "shapes of models (`--grid model`)" : "";
  if (op.aic_cases == nullptr) return text.empty() ? "none: tables are imported" : text;
  text += fmt::format("{}published grid", text.empty() ? "" : "; ");
  for (const auto& framework : kEnumNames<AicFramework>)
    text +=
        fmt::format(", {} {} (SM90) and {} (SM100)", framework.name,
                    published_cases(op, {90, framework.value}), published_cases(op, {100, framework.value}));
  return text;
}

}  // namespace

std::string op_text(const OpType& op) {
  std::string text = fmt::format("{} (revision {}): {}\nTable: {}; measured: {}\n\nFields:\n", op.info.id,
                                 op.info.revision, op.info.doc, op.info.table, measured_text(op));
  for (const FieldType& field : op.fields)
    text += fmt::format("  --{:14} {:9} {:24} default {:10} {}\n", field.flag, role_name(field.role),
                        field.column, field.format(field.default_value), field.doc);
  text += fmt::format("\nAxis decision: {}\nInterpolation: {}\nSpeed of light: {}\n", op.layout.why,
                      resolver_text(op), op.info.sol);
  return text;
}

nlohmann::json op_json(const OpType& op) {
  nlohmann::json out = {{"op", op.info.id},
                        {"doc", op.info.doc},
                        {"table", op.info.table},
                        {"revision", op.info.revision},
                        {"axis_decision", op.layout.why},
                        {"speed_of_light", op.info.sol},
                        {"fields", nlohmann::json::array()},
                        {"axes", nlohmann::json::array()}};
  for (const FieldType& field : op.fields)
    out["fields"].push_back({{"column", field.column},
                             {"flag", field.flag},
                             {"role", role_name(field.role)},
                             {"expected", field.expected()},
                             {"default", field.format(field.default_value)},
                             {"doc", field.doc}});
  for (const AxisType& axis : op.axes)
    out["axes"].push_back(
        {{"name", axis.name}, {"transform", axis.transform == Transform::sqrt ? "sqrt" : "raw"}});
  return out;
}

std::string op_markdown(const OpType& op) {
  std::string text =
      fmt::format("## {}\n\n{}\n\nTable `{}`, op_name `{}`, revision {}; measured: {}.\n\n", op.info.id,
                  op.info.doc, op.info.table, op.info.op_name, op.info.revision, measured_text(op));
  text += "| column | flag | role | values | default | meaning |\n|---|---|---|---|---|---|\n";
  for (const FieldType& field : op.fields)
    text +=
        fmt::format("| {} | --{} | {} | {} | {} | {} |\n", field.column, field.flag, role_name(field.role),
                    field.expected(), field.format(field.default_value), field.doc);
  text += fmt::format("\nAxis decision: {}.\n\nInterpolation: {}.\n\nSpeed of light: `{}`\n\n", op.layout.why,
                      resolver_text(op), op.info.sol);
  text += fmt::format("Query: `{}`\n\nCases: {}.\n\n", query_signature(op), cases_text(op));
  return text;
}

}  // namespace perfatlas
