// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/plan.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <numeric>
#include <span>
#include <unordered_set>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/base/parallel.h"
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
    if (out.store.size() > before) out.grid_end.push_back(grid_end);
  }
  out.store.finish();
  return out;
}

constexpr size_t kLeastPerThread = 1 << 16;  // cases: some milliseconds

/// The distinct cases of one op in the order of their mixed ids, which is the same on every machine.
class Shuffle {
 public:
  Shuffle(const CaseStore& store, const CaseStore::OpCases& own, uint64_t seed)
      : store_(store), own_(own), seed_(seed) {
    order_.reserve(own.count);
    std::vector<uint32_t> halves(own.count);  // upper ones of the mixed ids
    std::atomic<uint64_t> sum = 0;
    in_parallel(own.count, kLeastPerThread, [&](size_t begin, size_t end) {
      uint64_t part = 0;
      for (size_t i = begin; i < end; ++i) {
        const uint64_t id = store.id(own.first + uint32_t(i));
        part += id;
        halves[i] = uint32_t(combine_hashes(id, seed) >> 32);
      }
      sum += part;
    });
    hash_ = sum;
    const uint64_t parts = own.count / kPartCases + 1;
    for (uint64_t part = 0; part < parts; ++part) take_part(halves, part, parts);
  }
  std::vector<uint32_t> order() && { return std::move(order_); }
  /// The sum of the ids: of the same cases in any order the same.
  uint64_t hash() const { return hash_; }

 private:
  // Cases are sorted by parts of the range of mixed ids: so many keys are held at a time.
  static constexpr uint64_t kPartCases = 3'000'000;

  void take_part(const std::vector<uint32_t>& halves, uint64_t part, uint64_t parts) {
    std::vector<uint64_t> keys;  // half of the mixed id, index
    keys.reserve(halves.size() / parts + halves.size() / 64);
    for (uint32_t i = 0; i < halves.size(); ++i)
      if (halves[i] * parts >> 32 == part) keys.push_back(uint64_t(halves[i]) << 32 | (own_.first + i));
    std::sort(keys.begin(), keys.end());
    for (size_t begin = 0, end = 0; begin < keys.size(); begin = end) {
      while (end < keys.size() && keys[end] >> 32 == keys[begin] >> 32) ++end;
      if (end == begin + 1)
        order_.push_back(uint32_t(keys[begin]));
      else
        take_distinct({&keys[begin], end - begin});
    }
  }

  /// Equal halves: the same case repeated, or chance.
  void take_distinct(std::span<const uint64_t> keys) {
    struct Known {
      uint64_t mixed = 0, id = 0;
      uint32_t index = 0;
      auto operator<=>(const Known&) const = default;
    };
    std::vector<Known> cases;
    for (const uint64_t key : keys) {
      const uint64_t id = store_.id(uint32_t(key));
      cases.push_back({combine_hashes(id, seed_), id, uint32_t(key)});
    }
    std::sort(cases.begin(), cases.end());
    for (size_t i = 0; i < cases.size(); ++i) {
      if (i == 0 || cases[i].id != cases[i - 1].id)
        order_.push_back(cases[i].index);
      else
        hash_ -= cases[i].id;
    }
  }

  const CaseStore& store_;
  const CaseStore::OpCases& own_;
  uint64_t seed_;
  std::vector<uint32_t> order_;
  uint64_t hash_ = 0;
};

/// By level, coarse first; the order within a level and the first `limit` cases (0: all) stay.
void sort_by_level(std::vector<uint32_t>& cases, const std::vector<uint8_t>& levels, uint64_t limit) {
  std::array<size_t, kLevels + 1> begin{};
  for (const uint32_t index : cases) ++begin[levels[index] + 1u];
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  std::vector<uint32_t> sorted(cases.size());
  for (const uint32_t index : cases) sorted[begin[levels[index]]++] = index;
  cases = std::move(sorted);
  if (limit > 0 && cases.size() > limit) cases.resize(limit);
}

/// Level by level, the ops take turns.
std::vector<uint32_t> interleaved(std::vector<std::vector<uint32_t>> per_op,
                                  const std::vector<uint8_t>& levels) {
  if (per_op.size() == 1) return std::move(per_op[0]);
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
  size_t op = 0;
  for (const uint32_t index : order_) {
    const auto holds = [&] {
      return index >= store_.ops()[op].first && index - store_.ops()[op].first < store_.ops()[op].count;
    };
    if (!holds())
      for (op = 0; !holds();) ++op;
    used[op] = true;
  }
  std::vector<const OpType*> found;
  for (op = 0; op < used.size(); ++op)
    if (used[op]) found.push_back(store_.ops()[op].op);
  return found;
}

namespace {

struct FullOrder {
  std::vector<uint32_t> order;
  uint64_t distinct = 0;  // cases
  uint64_t hash = 0;      // of them
};

/// Coarse to fine, the ops taking turns.
FullOrder full_order(const CaseStore& store, const PlanRequest& request, std::vector<uint8_t>& levels) {
  FullOrder full;
  std::vector<std::vector<uint32_t>> per_op;
  uint64_t sum = 0;
  for (const auto& own : store.ops()) {
    assign_levels(store, own, levels);
    Shuffle shuffle(store, own, request.seed);
    sum += shuffle.hash();
    per_op.push_back(std::move(shuffle).order());
    full.distinct += per_op.back().size();
    sort_by_level(per_op.back(), levels, request.limit_per_op);
  }
  full.hash = combine_hashes(full.distinct, sum);
  full.order = interleaved(std::move(per_op), levels);
  return full;
}

/// Distinct cases, ascending, and those of them that are shapes of models, whether or not the grid names them, too.
SmallCases small_cases(const CaseStore& store, std::vector<uint32_t> grid_end, uint64_t seed) {
  SmallCases cases{{}, std::move(grid_end), {}};
  std::unordered_set<uint64_t> of_models;
  for (size_t o = 0; o < store.ops().size(); ++o) {
    const auto& own = store.ops()[o];
    std::vector<uint32_t> distinct = Shuffle(store, own, seed).order();
    std::sort(distinct.begin(), distinct.end());
    cases.distinct.insert(cases.distinct.end(), distinct.begin(), distinct.end());
    for (uint32_t i = cases.grid_end[o]; i < own.first + own.count; ++i) of_models.insert(store.id(i));
  }
  if (!of_models.empty())
    for (const uint32_t i : cases.distinct)
      if (of_models.contains(store.id(i))) cases.of_models.push_back(i);
  return cases;
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
  const CaseStore& store = plan.store_;
  plan.levels_.assign(store.size(), 0);
  if (request.kind == PlanKind::small) {
    const SmallCases cases = small_cases(store, std::move(generated.grid_end), request.seed);
    plan.repeated_ = store.size() - cases.distinct.size();
    SmallOrder small = small_order(store, cases, request.small);
    if (request.limit_per_op > 0) keep_first_of_each_op(store, request.limit_per_op, small);
    plan.order_ = std::move(small.order);
    plan.places_ = std::move(small.places);
    for (const uint32_t i : plan.order_) plan.hash_ = combine_hashes(plan.hash_, store.id(i));
    for (size_t i = 0; i < plan.order_.size(); ++i)
      if (!plan.places_[i]) plan.levels_[plan.order_[i]] = kLevels - 1;
  } else {
    FullOrder full = full_order(store, request, plan.levels_);
    plan.order_ = std::move(full.order);
    plan.hash_ = full.hash;
    plan.repeated_ = store.size() - full.distinct;
  }
  plan.total_ = plan.order_.size();
  plan.keep_shard();
  return plan;
}

/// The id's own bits decide, mixed once more: the split is even and every machine agrees on it. Pieces mix differently,
/// so that they split a shard as evenly.
void Plan::keep_shard() {
  if (shard_.count * shard_.pieces == 1) return;
  // In the order of the store, not of the plan: ids of neighbours are made several times faster.
  std::vector<uint8_t> own(store_.size());
  in_parallel(own.size(), kLeastPerThread, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const uint64_t id = store_.id(uint32_t(i));
      own[i] = combine_hashes(id, 0) % shard_.count == shard_.index &&
               combine_hashes(id, 1) % shard_.pieces == shard_.piece;
    }
  });
  size_t kept = 0;
  for (size_t i = 0; i < order_.size(); ++i) {
    if (own[order_[i]] == 0) continue;
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

Plan follow_up(const Plan& plan, const std::vector<Case>& cases) {
  Plan more = plan_of(cases);
  more.followed_ = plan.planned();
  more.kind_ = plan.kind_;
  more.total_ = plan.total_;
  more.hash_ = plan.hash_;
  more.shard_ = plan.shard_;
  return more;
}

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
