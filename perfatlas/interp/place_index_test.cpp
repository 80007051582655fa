// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/place_index.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>

namespace perfatlas {
namespace {

RC_GTEST_PROP(PlaceIndex, NumbersPlacesInOrderOfFirstAppearance, ()) {
  std::vector<Coordinates> places;
  const auto place_of = [&](uint32_t i) -> const Coordinates& { return places[i]; };
  PlaceIndex index(2);
  std::map<Coordinates, uint32_t> expected;
  for (const int64_t raw : *rc::gen::container<std::vector<int64_t>>(rc::gen::inRange<int64_t>(0, 60))) {
    const Coordinates place{raw % 7, raw << 40};
    const auto [at, is_new] = expected.try_emplace(place, uint32_t(places.size()));
    RC_ASSERT((index.find(place, place_of) == PlaceIndex::kNone) == is_new);
    RC_ASSERT(index.add(place, place_of) == at->second);
    if (is_new) places.push_back(place);
  }
  for (const auto& [place, number] : expected) RC_ASSERT(index.find(place, place_of) == number);
}

}  // namespace
}  // namespace perfatlas
