// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/points/family_order.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/base/parallel.h"

namespace perfatlas {
namespace {

constexpr size_t kUsualStride =
    10;  // a tenth of the points tells the error to a tenth of itself from 200 audits on
constexpr size_t kLeastAudits = 100;
constexpr size_t kBlockCases = 1 << 18, kLeastPerThread = 1 << 14;  // ids of some milliseconds

uint64_t mixed(uint64_t id, uint64_t seed) { return combine_hashes(id, seed); }

/// Indices by exponential keys: a heavy case comes early. `pool`: numbers of the cases that take part.
std::vector<uint32_t> audit_draw(const SizeSpace& space, const FamilyCases& cases,
                                 const std::vector<uint32_t>& pool, uint64_t seed) {
  std::vector<uint64_t> shapes, cells;
  std::unordered_map<uint64_t, uint32_t> cases_of_cell;
  std::unordered_map<uint64_t, uint32_t> cells_of_shape;
  for (const uint32_t number : pool) {
    const FieldValues values = cases.values(number);
    shapes.push_back(space.shape_of(values));
    cells.push_back(space.cell_of(values));
    if (cases_of_cell[cells.back()]++ == 0) ++cells_of_shape[shapes.back()];
  }
  std::vector<double> keys;
  for (size_t i = 0; i < pool.size(); ++i) {
    const double uniform = (double(mixed(cases.id(pool[i]), seed) >> 11) + .5) / double(uint64_t{1} << 53);
    keys.push_back(-std::log(uniform) * double(cells_of_shape[shapes[i]]) * double(cases_of_cell[cells[i]]));
  }
  std::vector<uint32_t> order(pool.size());
  std::iota(order.begin(), order.end(), uint32_t{0});
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return keys[a] != keys[b] ? keys[a] < keys[b] : a < b; });
  return order;
}

/// Numbers of the cases that spreading sees, ascending, and of the rest, in the order of their mixed ids.
struct Pool {
  std::vector<uint32_t> inside, rest;
};

using MixedCase = std::pair<uint64_t, uint32_t>;  // mixed id, number

/// The `wanted` smallest mixed ids, and some more, in no order. Counting first keeps the others, of millions, from
/// being held.
std::vector<MixedCase> smallest_mixed(const FamilyCases& cases, uint64_t seed, size_t wanted) {
  constexpr int kBinBits = 16;
  const auto bin_of = [](uint64_t key) { return size_t(key >> (64 - kBinBits)); };
  std::vector<size_t> counts(size_t{1} << kBinBits, 0);
  cases.for_each_id([&](size_t, uint64_t id) { ++counts[bin_of(mixed(id, seed))]; });
  size_t last_bin = 0;
  for (size_t below = counts[0]; below < wanted;) below += counts[++last_bin];
  std::vector<MixedCase> keys;
  keys.reserve(wanted + wanted / 8);
  cases.for_each_id([&](size_t i, uint64_t id) {
    if (const uint64_t key = mixed(id, seed); bin_of(key) <= last_bin) keys.emplace_back(key, uint32_t(i));
  });
  return keys;
}

Pool pool_of(const FamilyCases& cases, const OrderLimits& limits) {
  Pool pool;
  pool.inside.resize(cases.count);
  std::iota(pool.inside.begin(), pool.inside.end(), uint32_t{0});
  if (cases.count <= limits.pool_cap) return pool;
  pool.inside = {};
  const size_t wanted = limits.picks > limits.pool_cap ? limits.picks - limits.pool_cap : 0;
  std::vector<MixedCase> keys = smallest_mixed(cases, ~limits.seed, limits.pool_cap + wanted);
  const auto at = [&](size_t i) { return keys.begin() + std::ptrdiff_t(i); };
  std::nth_element(keys.begin(), at(limits.pool_cap - 1), keys.end());
  std::partial_sort(at(limits.pool_cap), at(limits.pool_cap + wanted), keys.end());
  for (size_t i = 0; i < limits.pool_cap; ++i) pool.inside.push_back(keys[i].second);
  std::sort(pool.inside.begin(), pool.inside.end());
  for (size_t i = 0; i < wanted; ++i) pool.rest.push_back(keys[limits.pool_cap + i].second);
  return pool;
}

}  // namespace

void FamilyCases::for_each_id(const std::function<void(size_t, uint64_t)>& visit) const {
  std::vector<uint64_t> ids(std::min(count, kBlockCases));
  for (size_t start = 0; start < count; start += ids.size()) {
    const size_t block = std::min(ids.size(), count - start);
    in_parallel(block, kLeastPerThread, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) ids[i] = id(start + i);
    });
    for (size_t i = 0; i < block; ++i) visit(start + i, ids[i]);
  }
}

size_t audit_stride(size_t picks, size_t cases) {
  if (picks >= cases) return 0;
  return std::clamp<size_t>(picks / kLeastAudits, 2, kUsualStride);
}

std::vector<OrderPlace> family_order(const SizeSpace& space, const FamilyCases& cases,
                                     const OrderLimits& limits) {
  PERFATLAS_ASSERT(limits.picks <= cases.count);
  std::vector<OrderPlace> order;
  if (limits.picks == 0) return order;
  const Pool pool = pool_of(cases, limits);
  Positions positions{space.axes().size(), {}};
  positions.coordinates.reserve(pool.inside.size() * positions.dimensions);
  for (const uint32_t number : pool.inside) space.append(cases.values(number), positions.coordinates);
  FarthestOrder spread(positions);
  std::vector<bool> taken(pool.inside.size(), false);
  // Once nothing is spread any more, distances need not follow.
  const auto take = [&](uint32_t i, bool audit) {
    taken[i] = true;
    order.push_back({pool.inside[i], audit});
    if (order.size() < limits.spread_cap) spread.take(i);
  };
  const std::vector<uint32_t> draw = audit_draw(space, cases, pool.inside, limits.seed);
  const size_t stride = limits.audits ? audit_stride(limits.picks, cases.count) : 0;
  size_t drawn = 0;
  order.reserve(limits.picks);
  while (order.size() < std::min(limits.picks, pool.inside.size())) {
    const bool audit = stride > 0 && (order.size() + 1) % stride == 0;
    if (!audit && order.size() < limits.spread_cap) {
      take(spread.next(), false);
      continue;
    }
    while (taken[draw[drawn]]) ++drawn;
    take(draw[drawn], audit);
  }
  for (const uint32_t number : pool.rest)
    order.push_back({number, stride > 0 && (order.size() + 1) % stride == 0});
  return order;
}

}  // namespace perfatlas
