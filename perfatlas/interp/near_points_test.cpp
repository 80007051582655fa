// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/near_points.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace perfatlas {
namespace {

RC_GTEST_PROP(NearPoints, AreThoseOfAFullSearch, ()) {
  const size_t dimensions = size_t(*rc::gen::inRange(1, 5));
  const size_t count = size_t(*rc::gen::inRange(0, 150));
  std::vector<double> coordinates;
  for (const int c : *rc::gen::container<std::vector<int>>(count * dimensions, rc::gen::inRange(0, 9)))
    coordinates.push_back(c / 2.0);
  std::vector<double> from;
  for (const int c : *rc::gen::container<std::vector<int>>(dimensions, rc::gen::inRange(0, 9)))
    from.push_back(c / 2.0);
  const double beyond = *rc::gen::inRange(0, 3) / 2.0;

  std::vector<std::pair<double, uint32_t>> all;
  for (uint32_t i = 0; i < count; ++i) {
    double sum = 0;
    for (size_t d = 0; d < dimensions; ++d)
      sum += (coordinates[i * dimensions + d] - from[d]) * (coordinates[i * dimensions + d] - from[d]);
    if (sum >= beyond * beyond) all.emplace_back(sum, i);
  }
  std::sort(all.begin(), all.end());
  all.resize(std::min<size_t>(all.size(), 10));

  const NearPoints points(dimensions, coordinates);
  std::vector<NearPoint> near(10);
  near.resize(points.nearest(from, beyond, near));
  RC_ASSERT(near.size() == all.size());
  for (size_t i = 0; i < near.size(); ++i) {
    RC_ASSERT(near[i].index == all[i].second);
    RC_ASSERT(near[i].squared == all[i].first);
  }
}

}  // namespace
}  // namespace perfatlas
