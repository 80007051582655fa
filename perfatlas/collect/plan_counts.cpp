// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/plan_counts.h"

#include <nlohmann/json.hpp>

#include <map>
#include <optional>
#include <utility>

namespace perfatlas {
namespace {

/// The first exact enumeration field.
std::optional<size_t> dtype_field(const OpType& op) {
  for (size_t f = 0; f < op.fields.size(); ++f)
    if (op.fields[f].role == Role::exact && op.fields[f].kind == ValueKind::enumeration) return f;
  return std::nullopt;
}

std::string dtype_name(const OpType& op, int64_t value) {
  const auto field = dtype_field(op);
  return field ? op.fields[*field].format(value) : std::string();
}

}  // namespace

std::vector<PlanCount> plan_summary(const Plan& plan) {
  std::map<std::pair<const OpType*, int64_t>, uint64_t> by_dtype;
  std::pair<const OpType*, int64_t> last{};
  uint64_t* count = nullptr;
  for (size_t i = 0; i < plan.size(); ++i) {
    const Case c = plan.at(i);
    const auto field = dtype_field(*c.op);
    const std::pair key(c.op, field ? c.values[*field] : 0);
    if (count == nullptr || key != last) count = &by_dtype[last = key];
    ++*count;
  }
  std::vector<PlanCount> counts;
  for (const OpType* op : plan.ops()) {
    std::map<std::string, uint64_t> by_name;
    for (const auto& [key, cases] : by_dtype)
      if (key.first == op) by_name[dtype_name(*op, key.second)] += cases;
    for (const auto& [dtype, cases] : by_name) counts.push_back({std::string(op->info.id), dtype, cases});
  }
  return counts;
}

std::string plan_json(const std::vector<PlanCount>& counts) {
  auto array = nlohmann::ordered_json::array();
  for (const PlanCount& count : counts)
    array.push_back({{"op", count.op}, {"dtype", count.dtype}, {"cases", count.cases}});
  return array.dump();
}

}  // namespace perfatlas
