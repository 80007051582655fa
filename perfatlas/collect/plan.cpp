// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/plan.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_set>

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

/// All cases of a grid; `grid_end[o]`: from this store index on the cases of the o-th op in the store are shapes of models
/// that a small plan adds.
struct Generated {
  CaseStore store;
  std::vector<uint32_t> grid_end;
};

Generated generate(const std::vector<const OpType*>& ops, const PlanRequest& request) {
  Generated out;
  for (const OpType* op : ops) {
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
    if (request.kind == PlanKind::small)
      for (const Case& c : request.extra)
        if (c.op == op) sink(c.values);
    if (out.store.size() > before) out.grid_end.push_back(grid_end);
  }
  out.store.finish();
  return out;
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
  const auto bad = [text] {
    return UsageError(fmt::format(
        "shard '{}' is not i/n with 1 <= i <= n, for example 2/8, or a piece of one, for example 2/8:1/3",
        text));
  };
  const auto part = [&](std::string_view fraction) {
    const auto words = split(fraction, '/');
    const auto index = parse_integer(words[0]);
    const auto count = words.size() == 2 ? parse_integer(words[1]) : std::nullopt;
    if (!index || !count || *index < 1 || *count < *index) throw bad();
    return std::pair(uint64_t(*index) - 1, uint64_t(*count));
  };
  const auto fractions = split(text, ':');
  if (fractions.size() > 2) throw bad();
  Shard shard;
  std::tie(shard.index, shard.count) = part(fractions[0]);
  if (fractions.size() == 2) std::tie(shard.piece, shard.pieces) = part(fractions[1]);
  return shard;
}

std::string format_shard(const Shard& shard) {
  std::string text = fmt::format("{}/{}", shard.index + 1, shard.count);
  if (shard.pieces > 1) text += fmt::format(":{}/{}", shard.piece + 1, shard.pieces);
  return text;
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

namespace {

/// Coarse to fine, the ops taking turns.
std::vector<uint32_t> full_order(const CaseStore& store, const std::vector<uint32_t>& distinct,
                                 const std::vector<uint64_t>& ids, const PlanRequest& request,
                                 std::vector<uint8_t>& levels) {
  std::vector<std::vector<uint32_t>> per_op;
  auto next = distinct.begin();
  for (const auto& own : store.ops()) {
    const auto end = std::lower_bound(next, distinct.end(), own.first + own.count);
    std::vector<uint32_t>& cases = per_op.emplace_back(next, end);
    next = end;
    assign_levels(store, cases, levels);
    sort_coarse_to_fine(cases, levels, ids, request.seed);
    if (request.limit_per_op > 0 && cases.size() > request.limit_per_op) cases.resize(request.limit_per_op);
  }
  return interleaved(per_op, levels);
}

/// Distinct indices whose case is a shape of a model, whether or not the grid names it, too.
std::vector<uint32_t> shapes_of_models(const CaseStore& store, const std::vector<uint32_t>& grid_end,
                                       const std::vector<uint32_t>& distinct,
                                       const std::vector<uint64_t>& ids) {
  std::unordered_set<uint64_t> wanted;
  for (size_t o = 0; o < store.ops().size(); ++o)
    for (uint32_t i = grid_end[o]; i < store.ops()[o].first + store.ops()[o].count; ++i)
      wanted.insert(ids[i]);
  std::vector<uint32_t> found;
  for (const uint32_t i : distinct)
    if (wanted.contains(ids[i])) found.push_back(i);
  return found;
}

/// The first so many cases of each op stay.
void keep_first_of_each_op(const CaseStore& store, uint64_t limit, SmallOrder& small) {
  std::map<const OpType*, uint64_t> count;
  size_t kept = 0;
  for (size_t i = 0; i < small.order.size(); ++i) {
    if (++count[store.at(small.order[i]).op] > limit) continue;
    small.order[kept] = small.order[i];
    small.places[kept++] = small.places[i];
  }
  small.order.resize(kept);
  small.places.resize(kept);
}

}  // namespace

Plan make_plan(const OpRegistry& registry, const PlanRequest& request) {
  if (request.shard.index >= request.shard.count)
    throw UsageError(
        fmt::format("shard {} of {} does not exist", request.shard.index + 1, request.shard.count));
  Plan plan;
  plan.shard_ = request.shard;
  plan.kind_ = request.kind;
  Generated generated = generate(chosen_ops(registry, request), request);
  plan.store_ = std::move(generated.store);
  std::vector<uint64_t> ids(plan.store_.size());
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = plan.store_.id(uint32_t(i));
  const Distinct distinct = distinct_cases(plan.store_, ids);
  plan.repeated_ = plan.store_.size() - distinct.indices.size();
  plan.levels_.assign(plan.store_.size(), 0);
  if (request.kind == PlanKind::small) {
    const SmallCases cases{distinct.indices, generated.grid_end,
                           shapes_of_models(plan.store_, generated.grid_end, distinct.indices, ids)};
    SmallOrder small = small_order(plan.store_, cases, request.small);
    if (request.limit_per_op > 0) keep_first_of_each_op(plan.store_, request.limit_per_op, small);
    plan.order_ = std::move(small.order);
    plan.places_ = std::move(small.places);
    for (const uint32_t i : plan.order_) plan.hash_ = combine_hashes(plan.hash_, ids[i]);
    for (size_t i = 0; i < plan.order_.size(); ++i)
      if (!plan.places_[i]) plan.levels_[plan.order_[i]] = kLevels - 1;
  } else {
    plan.order_ = full_order(plan.store_, distinct.indices, ids, request, plan.levels_);
    plan.hash_ = distinct.hash;
  }
  plan.total_ = plan.order_.size();
  plan.keep_shard(ids);
  return plan;
}

/// The id's own bits decide, mixed once more: the split is even and every machine agrees on it. Pieces mix differently,
/// so that they split a shard as evenly.
void Plan::keep_shard(const std::vector<uint64_t>& ids) {
  size_t kept = 0;
  for (size_t i = 0; i < order_.size(); ++i) {
    const uint64_t id = ids[order_[i]];
    if (combine_hashes(id, 0) % shard_.count != shard_.index) continue;
    if (combine_hashes(id, 1) % shard_.pieces != shard_.piece) continue;
    order_[kept] = order_[i];
    if (!places_.empty()) places_[kept] = places_[i];
    ++kept;
  }
  order_.resize(kept);
  order_.shrink_to_fit();
  if (!places_.empty()) places_.resize(kept);
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
  plan.total_ = cases.size();
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
