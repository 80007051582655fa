// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>

#include "perfatlas/base/error.h"
#include "perfatlas/ops/moe/moe_routing.h"

namespace perfatlas {
namespace {

struct Slot {
  int64_t expert;
  double load;
};

/// One slot per replica, with the load of one replica.
std::vector<Slot> replicate(const std::vector<int64_t>& counts, int64_t slots) {
  std::vector<int64_t> replicas(counts.size(), 1);
  const auto load = [&](size_t expert) { return double(counts[expert]) / double(replicas[expert]); };
  for (auto left = slots - int64_t(counts.size()); left > 0; --left) {
    size_t heaviest = 0;
    for (size_t expert = 1; expert < counts.size(); ++expert)
      if (load(expert) > load(heaviest)) heaviest = expert;
    ++replicas[heaviest];
  }
  std::vector<Slot> made;
  for (size_t expert = 0; expert < counts.size(); ++expert)
    made.insert(made.end(), size_t(replicas[expert]), Slot{int64_t(expert), load(expert)});
  return made;
}

/// Slots of each rank: the heaviest slot first, each to the least loaded rank with room.
std::vector<std::vector<Slot>> distribute(std::vector<Slot> slots, int64_t ep) {
  const size_t room = slots.size() / size_t(ep);
  std::stable_sort(slots.begin(), slots.end(), [](const Slot& a, const Slot& b) { return a.load > b.load; });
  std::vector<std::vector<Slot>> ranks(static_cast<size_t>(ep));
  std::vector<double> loads(ranks.size(), 0.0);
  for (const Slot& slot : slots) {
    size_t best = ranks.size();
    for (size_t rank = 0; rank < ranks.size(); ++rank)
      if (ranks[rank].size() < room && (best == ranks.size() || loads[rank] < loads[best])) best = rank;
    ranks[best].push_back(slot);
    loads[best] += slot.load;
  }
  const auto slowest = std::max_element(loads.begin(), loads.end()) - loads.begin();
  std::swap(ranks[0], ranks[size_t(slowest)]);
  return ranks;
}

}  // namespace

SlotPlacement place_experts(const RoutingShape& shape, const std::vector<int64_t>& counts, int64_t slots) {
  PERFATLAS_ASSERT(slots >= shape.experts && slots % shape.ep == 0);
  SlotPlacement placement;
  std::vector<double> fractions;
  int64_t left = shape.assignments();
  for (const std::vector<Slot>& rank : distribute(replicate(counts, slots), shape.ep))
    for (const Slot& slot : rank) {
      placement.expert.push_back(slot.expert);
      placement.counts.push_back(int64_t(std::floor(slot.load)));
      fractions.push_back(slot.load - std::floor(slot.load));
      left -= placement.counts.back();
    }
  std::vector<size_t> order(placement.counts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return fractions[a] > fractions[b]; });
  for (size_t i = 0; left > 0; i = (i + 1) % order.size())
    if (placement.counts[order[i]] < shape.tokens) ++placement.counts[order[i]], --left;
  return placement;
}

}  // namespace perfatlas
