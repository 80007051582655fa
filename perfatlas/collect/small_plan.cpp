// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/small_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

/// The order of one family: numbers of the store, with the places that they stand for.
struct FamilyTurns {
  std::vector<uint32_t> cases;     // of the family, in the order of the store
  std::vector<OrderPlace> places;  // positions in `cases`
};

/// Whose turn it is next: the family that has come the smallest share of its way.
struct Turn {
  double rank = 0;  // (place + 1/2) / places of the family
  uint32_t family = 0;
  uint32_t place = 0;

  bool operator>(const Turn& other) const {
    return rank != other.rank ? rank > other.rank : family > other.family;
  }
};

size_t picks_of(size_t cases, double share) {
  if (cases < kWholeFamily) return cases;
  return std::min(cases, std::max(kWholeFamily / 10, size_t(std::ceil(share * double(cases)))));
}

/// Store indices of the families of one op, families in order of first appearance.
std::vector<std::vector<uint32_t>> families_of(const SizeSpace& space, const CaseStore& store,
                                               const std::vector<uint32_t>& cases) {
  std::map<SliceKey, size_t> number_of;
  std::vector<std::vector<uint32_t>> families;
  for (const uint32_t index : cases) {
    const auto [at, is_new] = number_of.try_emplace(space.family_of(store.at(index).values), families.size());
    if (is_new) families.emplace_back();
    families[at->second].push_back(index);
  }
  return families;
}

}  // namespace

double small_plan_share(std::string_view op, bool has_prior) {
  if (op.starts_with("mla_")) return 1;
  if (op == "gemm") return .1;
  if (op.starts_with("attention_")) return has_prior ? .01 : .1;
  return has_prior && op == "moe" ? .1 : .4;
}

void check_shares(const SmallPlanOptions& options, const std::vector<std::string>& known_ops) {
  for (const auto& [op, share] : options.shares) {
    if (std::find(known_ops.begin(), known_ops.end(), op) == known_ops.end())
      throw UsageError(fmt::format("--share {}: there is no such op; see perfatlas ops", op));
    if (!(share > 0 && share <= 1))
      throw UsageError(
          fmt::format("--share {}={}: a share is above 0 and at most 100%", op, format_real(share)));
  }
}

namespace {

/// Of every family in the order of the store.
std::vector<FamilyTurns> turns_of(const CaseStore& store, const SmallCases& cases,
                                  const SmallPlanOptions& options) {
  std::vector<FamilyTurns> turns;
  auto next = cases.distinct.begin();
  for (size_t o = 0; o < store.ops().size(); ++o) {
    const CaseStore::OpCases& own = store.ops()[o];
    const auto grid_end = std::lower_bound(next, cases.distinct.end(), cases.grid_end[o]);
    const SizeSpace space(*own.op);
    const auto given = options.shares.find(std::string(own.op->info.id));
    const double share =
        given != options.shares.end() ? given->second : small_plan_share(own.op->info.id, options.has_prior);
    for (std::vector<uint32_t>& family : families_of(space, store, {next, grid_end})) {
      const FamilyCases view{family.size(), [&](size_t i) { return store.at(family[i]).values; },
                             [&](size_t i) { return store.id(family[i]); }};
      auto places = options.cache.order(space, view, {.picks = picks_of(family.size(), share)});
      turns.push_back({std::move(family), std::move(places)});
    }
    next = std::lower_bound(grid_end, cases.distinct.end(), own.first + own.count);
  }
  return turns;
}

}  // namespace

SmallOrder small_order(const CaseStore& store, const SmallCases& cases, const SmallPlanOptions& options) {
  const std::vector<FamilyTurns> families = turns_of(store, cases, options);
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
  const auto wait = [&](uint32_t family, uint32_t place) {
    if (const size_t places = families[family].places.size(); place < places)
      turns.push({(place + .5) / double(places), family, place});
  };
  for (uint32_t family = 0; family < families.size(); ++family) wait(family, 0);
  SmallOrder small;
  std::vector<bool> planned(store.size(), false);
  while (!turns.empty()) {
    const Turn turn = turns.top();
    turns.pop();
    wait(turn.family, turn.place + 1);
    const OrderPlace& place = families[turn.family].places[turn.place];
    const uint32_t index = families[turn.family].cases[place.index];
    small.order.push_back(index);
    small.places.emplace_back(PlanPlace{turn.place, place.audit});
    planned[index] = true;
  }
  for (const uint32_t index : cases.of_models)
    if (!planned[index]) small.order.push_back(index);
  small.places.resize(small.order.size());
  return small;
}

}  // namespace perfatlas
