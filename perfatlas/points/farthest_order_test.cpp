// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/points/farthest_order.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace perfatlas {
namespace {

/// n-major grid in octaves over the lengths 1.5 and 2.
struct SmallGrid {
  std::vector<std::pair<int, int>> keys;
  Positions positions{2, {}};
  SmallGrid() {
    for (const int n : {256, 1024, 4096})
      for (const int m : {1, 4, 16, 64, 256}) {
        keys.emplace_back(n, m);
        positions.coordinates.push_back(std::log2(n) / 1.5);
        positions.coordinates.push_back(std::log2(m) / 2.0);
      }
  }
  uint32_t index(std::pair<int, int> key) const {
    return uint32_t(std::find(keys.begin(), keys.end(), key) - keys.begin());
  }
};

using Keys = std::vector<std::pair<int, int>>;

TEST(FarthestOrder, BeginsAtTheCentreThenCornersInIndexOrder) {
  const SmallGrid grid;
  FarthestOrder order(grid.positions);
  Keys picks;
  for (int i = 0; i < 7; ++i) picks.push_back(grid.keys[order.next()]);
  EXPECT_EQ(picks, (Keys{{1024, 16}, {256, 1}, {256, 256}, {4096, 1}, {4096, 256}, {256, 16}, {1024, 1}}));
}

TEST(FarthestOrder, ContinuesFromWhatIsMeasured) {
  const SmallGrid grid;
  FarthestOrder order(grid.positions);
  order.take(grid.index({1024, 16}));
  order.take(grid.index({256, 1}));
  Keys picks;
  for (int i = 0; i < 3; ++i) picks.push_back(grid.keys[order.next()]);
  EXPECT_EQ(picks, (Keys{{256, 256}, {4096, 1}, {4096, 256}}));
}

/// The definition, without boxes.
std::vector<uint32_t> plain_order(const Positions& positions, uint32_t first) {
  std::vector<uint32_t> order{first};
  std::vector<bool> taken(positions.size(), false);
  taken[first] = true;
  while (order.size() < positions.size()) {
    double best = -1;
    uint32_t chosen = 0;
    for (uint32_t i = 0; i < positions.size(); ++i) {
      if (taken[i]) continue;
      double nearest = INFINITY;
      for (const uint32_t j : order) {
        double sum = 0;
        for (size_t d = 0; d < positions.dimensions; ++d)
          sum += (positions.at(i)[d] - positions.at(j)[d]) * (positions.at(i)[d] - positions.at(j)[d]);
        nearest = std::min(nearest, std::round(sum * 1e9) / 1e9);
      }
      if (nearest > best) {
        best = nearest;
        chosen = i;
      }
    }
    order.push_back(chosen);
    taken[chosen] = true;
  }
  return order;
}

RC_GTEST_PROP(FarthestOrder, BoxesChangeNothing, ()) {
  Positions positions{size_t(*rc::gen::inRange(1, 4)), {}};
  const int count = *rc::gen::inRange(1, 200);
  const auto sizes =
      *rc::gen::container<std::vector<int>>(size_t(count) * positions.dimensions, rc::gen::inRange(0, 12));
  for (const int size : sizes) positions.coordinates.push_back(size / 3.0);
  FarthestOrder order(positions);
  std::vector<uint32_t> chosen;
  while (order.taken() < positions.size()) chosen.push_back(order.next());
  RC_ASSERT(chosen == plain_order(positions, chosen.front()));
}

}  // namespace
}  // namespace perfatlas
