// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/plan.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <numeric>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/base/text.h"
#include "perfatlas/collect/plan_levels.h"
#include "perfatlas/hw/sol.h"

namespace perfatlas {
namespace {

constexpr int kLevels = 3;

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

CaseStore generate(const std::vector<const OpType*>& ops, const PlanRequest& request) {
  CaseStore store;
  for (const OpType* op : ops) {
    const auto limits = limits_of(*op, request.at_most);
    const auto sink = [&](const FieldValues& values) {
      for (const auto& [field, most] : limits)
        if (values[field] > most) return;
      const Case c{op, values};
      if (passes(c, request.case_filters)) store.add(c);
    };
    if (request.grid == GridKind::model)
      op->model_cases(request.shapes, sink);
    else
      op->aic_cases(request.aic, sink);
  }
  store.finish();
  return store;
}

/// The store's indices without repeated cases, and the hash of the sorted ids.
struct Distinct {
  std::vector<uint32_t> indices;  // ascending
  uint64_t hash = 0;
};

Distinct distinct_cases(const CaseStore& store, const std::vector<uint64_t>& ids) {
  Distinct out;
  out.indices.resize(store.size());
  std::iota(out.indices.begin(), out.indices.end(), uint32_t{0});
  std::sort(out.indices.begin(), out.indices.end(),
            [&](uint32_t a, uint32_t b) { return ids[a] != ids[b] ? ids[a] < ids[b] : a < b; });
  const auto repeated = std::unique(out.indices.begin(), out.indices.end(),
                                    [&](uint32_t a, uint32_t b) { return ids[a] == ids[b]; });
  out.indices.erase(repeated, out.indices.end());
  for (const uint32_t index : out.indices) out.hash = combine_hashes(out.hash, ids[index]);
  std::sort(out.indices.begin(), out.indices.end());
  return out;
}

/// One op's cases: by level, inside a level shuffled by hashes, which are the same on every machine.
void sort_coarse_to_fine(std::vector<uint32_t>& cases, const std::vector<uint8_t>& levels,
                         const std::vector<uint64_t>& ids, uint64_t seed) {
  std::sort(cases.begin(), cases.end(), [&](uint32_t a, uint32_t b) {
    if (levels[a] != levels[b]) return levels[a] < levels[b];
    return combine_hashes(ids[a], seed) < combine_hashes(ids[b], seed);
  });
}

/// Level by level, the ops take turns.
std::vector<uint32_t> interleaved(const std::vector<std::vector<uint32_t>>& per_op,
                                  const std::vector<uint8_t>& levels) {
  std::vector<uint32_t> order;
  std::vector<size_t> next(per_op.size(), 0);
  for (int level = 0; level < kLevels; ++level)
    for (bool any = true; any;) {
      any = false;
      for (size_t op = 0; op < per_op.size(); ++op) {
        if (next[op] == per_op[op].size() || levels[per_op[op][next[op]]] != level) continue;
        order.push_back(per_op[op][next[op]++]);
        any = true;
      }
    }
  return order;
}

std::string dtype_of(const Case& c) {
  for (size_t f = 0; f < c.op->fields.size(); ++f) {
    const FieldType& field = c.op->fields[f];
    if (field.role == Role::exact && field.kind == ValueKind::enumeration) return field.format(c.values[f]);
  }
  return {};
}

}  // namespace

Shard parse_shard(std::string_view text) {
  const auto parts = split(text, '/');
  const auto index = parse_integer(parts[0]);
  const auto count = parts.size() == 2 ? parse_integer(parts[1]) : std::nullopt;
  if (!index || !count || *index < 1 || *count < *index)
    throw UsageError(fmt::format("shard '{}' is not i/n with 1 <= i <= n, for example 2/8", text));
  return {uint64_t(*index) - 1, uint64_t(*count)};
}

std::vector<const OpType*> Plan::ops() const {
  std::vector<bool> used(store_.ops().size(), false);
  for (const uint32_t index : order_)
    for (size_t op = 0; op < used.size(); ++op) {
      const auto& own = store_.ops()[op];
      if (index >= own.first && index - own.first < own.count) used[op] = true;
    }
  std::vector<const OpType*> found;
  for (size_t op = 0; op < used.size(); ++op)
    if (used[op]) found.push_back(store_.ops()[op].op);
  return found;
}

Plan make_plan(const OpRegistry& registry, const PlanRequest& request) {
  if (request.shard.index >= request.shard.count)
    throw UsageError(
        fmt::format("shard {} of {} does not exist", request.shard.index + 1, request.shard.count));
  Plan plan;
  plan.shard_ = request.shard;
  plan.store_ = generate(chosen_ops(registry, request), request);
  std::vector<uint64_t> ids(plan.store_.size());
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = plan.store_.id(uint32_t(i));
  const Distinct distinct = distinct_cases(plan.store_, ids);
  plan.levels_.assign(plan.store_.size(), 0);
  std::vector<std::vector<uint32_t>> per_op;
  auto next = distinct.indices.begin();
  for (const auto& own : plan.store_.ops()) {
    const auto end = std::lower_bound(next, distinct.indices.end(), own.first + own.count);
    std::vector<uint32_t>& cases = per_op.emplace_back(next, end);
    next = end;
    assign_levels(plan.store_, cases, plan.levels_);
    sort_coarse_to_fine(cases, plan.levels_, ids, request.seed);
    if (request.limit_per_op > 0 && cases.size() > request.limit_per_op) cases.resize(request.limit_per_op);
  }
  plan.order_ = interleaved(per_op, plan.levels_);
  plan.hash_ = distinct.hash;
  plan.repeated_ = plan.store_.size() - distinct.indices.size();
  // The id's own bits decide, mixed once more: the split is even and every machine agrees on it.
  const Shard& shard = request.shard;
  std::erase_if(plan.order_,
                [&](uint32_t i) { return combine_hashes(ids[i], 0) % shard.count != shard.index; });
  plan.order_.shrink_to_fit();
  return plan;
}

Plan plan_of(const std::vector<Case>& cases) {
  Plan plan;
  std::vector<const OpType*> ops;
  for (const Case& c : cases)
    if (std::find(ops.begin(), ops.end(), c.op) == ops.end()) ops.push_back(c.op);
  plan.order_.resize(cases.size());
  for (const OpType* op : ops)
    for (size_t i = 0; i < cases.size(); ++i)
      if (cases[i].op == op) {
        plan.order_[i] = uint32_t(plan.store_.size());
        plan.store_.add(cases[i]);
      }
  plan.store_.finish();
  plan.levels_.assign(cases.size(), 0);
  for (size_t i = 0; i < cases.size(); ++i) plan.hash_ = combine_hashes(plan.hash_, plan.id(i));
  return plan;
}

std::vector<PlanCount> plan_summary(const Plan& plan) {
  std::vector<PlanCount> counts;
  for (const OpType* op : plan.ops()) {
    std::map<std::string, uint64_t> by_dtype;
    for (size_t i = 0; i < plan.size(); ++i)
      if (const Case c = plan.at(i); c.op == op) ++by_dtype[dtype_of(c)];
    for (const auto& [dtype, cases] : by_dtype) counts.push_back({std::string(op->info.id), dtype, cases});
  }
  return counts;
}

std::string plan_json(const std::vector<PlanCount>& counts) {
  auto array = nlohmann::ordered_json::array();
  for (const PlanCount& count : counts)
    array.push_back({{"op", count.op}, {"dtype", count.dtype}, {"cases", count.cases}});
  return array.dump();
}

double estimated_case_seconds(const Case& c, const SystemSpec& spec, CacheState cache,
                              const CostModel& cost) {
  const auto sol = speed_of_light(c.op->work(c.values), spec, cache);
  const double launch_s = sol ? sol->ms() / 1e3 / cost.efficiency : 0;
  const double measuring = cost.launches * std::max(launch_s, cost.min_sample_s);
  // The time limit ends a case only after its warm-ups and two samples.
  return cost.setup_s + std::min(measuring, std::max(cost.max_case_s, 5 * launch_s));
}

double estimated_seconds(const Plan& plan, const SystemSpec& spec, CacheState cache, const CostModel& cost) {
  double seconds = 0;
  for (size_t i = 0; i < plan.size(); ++i) seconds += estimated_case_seconds(plan.at(i), spec, cache, cost);
  return seconds;
}

}  // namespace perfatlas
