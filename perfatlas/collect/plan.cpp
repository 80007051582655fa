// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <unordered_set>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/base/parallel.h"
#include "perfatlas/collect/plan_cases_impl.h"
#include "perfatlas/collect/plan_levels.h"
#include "perfatlas/collect/plan_shuffle_impl.h"

namespace perfatlas {
namespace {

constexpr int kLevels = 3;

constexpr size_t kLeastPerThread = 1 << 16;  // cases: some milliseconds

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

}  // namespace

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
  PlanCases generated = plan_cases(registry, request);
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

}  // namespace perfatlas
