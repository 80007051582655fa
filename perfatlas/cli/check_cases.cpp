// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/check_cases.h"

#include <algorithm>
#include <map>

namespace perfatlas {
namespace {

/// The case itself or, where that makes no sense, with another value of one of its enumerations: a sub-kernel may
/// belong to the other phase.
Case with_sense(Case c) {
  const OpType& op = *c.op;
  if (op.why_invalid(c.values).empty()) return c;
  for (size_t i = 0; i < op.fields.size(); ++i)
    for (const auto& [value, name] : op.fields[i].names) {
      FieldValues changed = c.values;
      changed[i] = value;
      if (op.why_invalid(changed).empty()) return {&op, changed};
    }
  return c;
}

/// The defaults; of an op with sub-kernels, those of each.
std::vector<Case> smallest_cases(const OpType& op) {
  const auto column = op.find_field(op.info.sub_kernel_column);
  if (op.info.sub_kernels.empty() || !column) return {{&op, op.defaults()}};
  std::vector<Case> cases;
  for (const std::string_view name : op.info.sub_kernels) {
    Case c{&op, op.defaults()};
    c.values[*column] = op.fields[*column].parse(name).value_or(c.values[*column]);
    cases.push_back(with_sense(c));
  }
  return cases;
}

/// Every axis that accepts it set to a small odd size, so that no block of a kernel is full.
Case odd_case(Case c) {
  const OpType& op = *c.op;
  constexpr int64_t kOdd[] = {3, 33, 77, 5};
  for (size_t i = 0; i < op.axes.size(); ++i) {
    FieldValues changed = c.values;
    op.axes[i].set(changed, kOdd[i % std::size(kOdd)]);
    if (op.why_invalid(changed).empty()) c.values = changed;
  }
  return c;
}

/// Smallest, middle and largest of the model grid by arithmetic, within the limits; of an op with sub-kernels, of each.
std::vector<Case> model_extremes(const OpType& op, const ModelShapes& shapes, const CheckLimits& limits) {
  if (op.model_cases == nullptr) return {};
  const auto column = op.find_field(op.info.sub_kernel_column);
  std::map<int64_t, std::vector<std::pair<double, Case>>> fitting;
  op.model_cases(shapes, [&](const FieldValues& values) {
    const Case c{&op, values};
    const Work work = op.work(values);
    const double effort = work.flops + kFlopsPerByte * operand_bytes(c);
    if (effort <= limits.reference_flops && operand_bytes(c) < limits.memory_bytes / 2)
      fitting[column ? values[*column] : 0].emplace_back(effort, c);
  });
  std::vector<Case> extremes;
  for (auto& [sub_kernel, cases] : fitting) {
    std::stable_sort(cases.begin(), cases.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const size_t at : {size_t{0}, cases.size() / 2, cases.size() - 1})
      extremes.push_back(cases[at].second);
  }
  return extremes;
}

}  // namespace

std::vector<Case> check_cases(const OpType& op, const ModelShapes& shapes, const CheckLimits& limits) {
  std::vector<Case> shaped;
  for (const Case& c : smallest_cases(op)) shaped.insert(shaped.end(), {c, odd_case(c)});
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
