// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/check_cases.h"

#include <algorithm>

namespace perfatlas {
namespace {

/// Every axis that accepts it set to a small odd size, so that no block of a kernel is full.
Case odd_case(const OpType& op) {
  Case c{&op, op.defaults()};
  constexpr int64_t kOdd[] = {3, 33, 77, 5};
  for (size_t i = 0; i < op.axes.size(); ++i) {
    FieldValues changed = c.values;
    op.axes[i].set(changed, kOdd[i % std::size(kOdd)]);
    if (op.why_invalid(changed).empty()) c.values = changed;
  }
  return c;
}

/// Smallest, middle and largest of the model grid by arithmetic, within the limits.
std::vector<Case> model_extremes(const OpType& op, const ModelShapes& shapes, const CheckLimits& limits) {
  std::vector<std::pair<double, Case>> fitting;
  if (op.model_cases == nullptr) return {};
  op.model_cases(shapes, [&](const FieldValues& values) {
    const Case c{&op, values};
    const Work work = op.work(values);
    const double effort = std::max(work.flops, work.bytes());
    if (effort <= limits.reference_flops && operand_bytes(c) < limits.memory_bytes / 2)
      fitting.emplace_back(effort, c);
  });
  if (fitting.empty()) return {};
  std::stable_sort(fitting.begin(), fitting.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  return {fitting.front().second, fitting[fitting.size() / 2].second, fitting.back().second};
}

}  // namespace

std::vector<Case> check_cases(const OpType& op, const ModelShapes& shapes, const CheckLimits& limits) {
  std::vector<Case> shaped = {{&op, op.defaults()}, odd_case(op)};
  for (const Case& c : model_extremes(op, shapes, limits)) shaped.push_back(c);
  const auto type = std::find_if(op.fields.begin(), op.fields.end(), [](const FieldType& field) {
    return field.kind == ValueKind::enumeration && field.role == Role::exact;
  });
  std::vector<Case> all;
  const auto add = [&](const Case& c) {
    if (op.why_invalid(c.values).empty() && std::find(all.begin(), all.end(), c) == all.end())
      all.push_back(c);
  };
  for (const Case& c : shaped) {
    add(c);
    if (type == op.fields.end()) continue;
    for (const auto& [value, name] : type->names) {
      Case typed = c;
      // Fields that hold the same kind of type follow (a KV cache of the products' type).
      for (size_t i = 0; i < op.fields.size(); ++i)
        if (op.fields[i].kind == ValueKind::enumeration && op.fields[i].names == type->names)
          typed.values[i] = value;
      add(typed);
    }
  }
  return all;
}

}  // namespace perfatlas
