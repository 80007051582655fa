// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "perfatlas/base/error.h"
#include "perfatlas/collect/plan_cases_impl.h"

namespace perfatlas {
namespace {

bool has_grid(const OpType& op, GridKind grid) {
  return grid == GridKind::model ? op.model_cases != nullptr : op.aic_cases != nullptr;
}

std::vector<const OpType*> chosen_ops(const OpRegistry& registry, const PlanRequest& request) {
  std::vector<const OpType*> chosen;
  for (const std::string& id : request.ops) {
    const OpType& op = registry.get(id);
    if (!op.measurable() && !request.imported_too)
      throw UsageError(
          fmt::format("op {} is imported only: it has no operands to measure; leave it out", id));
    if (!has_grid(op, request.grid))
      throw UsageError(
          fmt::format("op {} has no cases in the {} grid; choose the other --grid or leave it out", id,
                      name_of(request.grid)));
    if (std::find(chosen.begin(), chosen.end(), &op) == chosen.end()) chosen.push_back(&op);
  }
  if (request.ops.empty())
    for (const auto& op : registry.ops())
      if (op->measurable() && has_grid(*op, request.grid) &&
          (!request.among || request.among->contains(std::string(op->info.id))))
        chosen.push_back(op.get());
  return chosen;
}

bool passes(const Case& c, const std::vector<std::string>& filters) {
  if (!c.op->why_invalid(c.values).empty()) return false;
  if (filters.empty()) return true;
  const std::string text = case_text(c);
  return std::any_of(filters.begin(), filters.end(),
                     [&](const auto& f) { return text.find(f) != text.npos; });
}

/// The limits that concern an op, by the position of the field.
std::vector<std::pair<size_t, int64_t>> limits_of(const OpType& op, const std::vector<FieldLimit>& limits) {
  std::vector<std::pair<size_t, int64_t>> own;
  for (const FieldLimit& limit : limits)
    if (const auto field = op.find_field(limit.field)) own.emplace_back(*field, limit.most);
  return own;
}

}  // namespace

PlanCases plan_cases(const OpRegistry& registry, const PlanRequest& request) {
  PlanCases out;
  for (const OpType* op : chosen_ops(registry, request)) {
    const auto limits = limits_of(*op, request.at_most);
    const auto sink = [&](const FieldValues& values) {
      for (const auto& [field, most] : limits)
        if (values[field] > most) return;
      const Case c{op, values};
      if (passes(c, request.case_filters)) out.store.add(c);
    };
    const size_t before = out.store.size();
    if (request.grid == GridKind::model)
      op->model_cases(request.shapes, sink);
    else
      op->aic_cases(request.aic, sink);
    const auto grid_end = uint32_t(out.store.size());
    if (request.add_models && op->model_cases != nullptr) op->model_cases(request.shapes, sink);
    if (out.store.size() > before) out.grid_end.push_back(grid_end);
  }
  out.store.finish();
  return out;
}

}  // namespace perfatlas
