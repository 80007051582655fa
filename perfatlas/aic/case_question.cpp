// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/case_question.h"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "perfatlas/aic/case_mapping.h"
#include "perfatlas/aic/op_json.h"
#include "perfatlas/base/text.h"

namespace perfatlas::aic {
namespace {

nlohmann::json value_of(const Case& asked, std::string_view column) {
  const size_t i = *asked.op->find_field(column);
  const FieldType& field = asked.op->fields[i];
  if (field.kind == ValueKind::integer) return asked.values[i];
  if (field.kind == ValueKind::boolean) return asked.values[i] != 0;
  return field.format(asked.values[i]);
}

PhasePoint point_of(const Case& asked, const CaseMapping& mapping) {
  switch (mapping.place) {
    case CasePlace::tokens:
      return {.tokens = integer_of(asked, mapping.tokens)};
    case CasePlace::context:
      return PhasePoint::in_context(integer_of(asked, "batch_size"), integer_of(asked, "isl"),
                                    integer_of(asked, "step"));
    case CasePlace::generation:
      return PhasePoint::in_generation(integer_of(asked, "batch_size"),
                                       integer_of(asked, "isl") + integer_of(asked, "step"));
    case CasePlace::images:
      return PhasePoint::in_context(integer_of(asked, "batch_size"), integer_of(asked, "isl"));
    case CasePlace::kernel:
      break;
  }
  PhasePoint at = PhasePoint::in_context(integer_of(asked, "batch_size"), integer_of(asked, "seq_len"));
  at.context = value_of(asked, "phase") == "context";
  return at;
}

nlohmann::json fields_of(const Case& asked, const CaseMapping& mapping) {
  nlohmann::json fields = nlohmann::json::parse(mapping.fixed);
  for (const std::string_view entry : split(mapping.fields, ' ')) {
    const size_t sign = entry.find('>');
    const std::string_view column = entry.substr(0, sign);
    const std::string name(sign == entry.npos ? column : entry.substr(sign + 1));
    fields[name] = value_of(asked, column);
  }
  if (mapping.amend != nullptr) mapping.amend(asked, fields);
  return fields;
}

}  // namespace

std::optional<CaseQuestion> question_of(const Case& asked) {
  const CaseMappings all = all_case_mappings();
  const auto mapping = std::find_if(all.begin(), all.end(),
                                    [&](const CaseMapping& m) { return m.op_id == asked.op->info.id; });
  if (mapping == all.end()) return std::nullopt;
  return CaseQuestion{op_from_json(mapping->name, fields_of(asked, *mapping)), point_of(asked, *mapping)};
}

}  // namespace perfatlas::aic
