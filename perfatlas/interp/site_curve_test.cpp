// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/site_curve.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace perfatlas {
namespace {

const SolFunction& work() {
  static const SolFunction sol = [](const Coordinates& at) {
    return double(at[0] * at[1] * at[2]) * 1e-9 + 1e-4;
  };
  return sol;
}

RC_GTEST_PROP(SiteCurve, AnswersAsTheInterpolatorItBelongsTo, ()) {
  std::set<Coordinates> places;
  for (int i = 0; i < *rc::gen::inRange(1, 60); ++i)
    places.insert({int64_t{1} << *rc::gen::inRange(5, 14), int64_t{1} << *rc::gen::inRange(5, 14),
                   *rc::gen::element<int64_t>(1, 8, 64, 100, 4096), 0});
  std::vector<MeasuredPoint> points;
  for (const Coordinates& at : places)
    points.push_back({at, work()(at) * double(*rc::gen::inRange(1, 9)), {}});
  const bool raise = *rc::gen::arbitrary<bool>();
  const SitesInterpolator sites(
      {.axes = 3, .resolver = Resolver::sites, .site_axes = 2, .raise_blends = raise}, points);
  const Coordinates site = {*rc::gen::inRange(1, 20000), *rc::gen::inRange(1, 20000), 0, 0};
  const Coordinates own = points[0].at;
  for (Coordinates at : {site, own}) {
    const SiteCurve curve(sites, at, work());
    for (const int64_t place : {1, 5, 64, 99, 5000}) {
      at[2] = place;
      const Reading expected = sites.read({.at = at, .sol = work()});
      const Reading reading = curve.read(place);
      RC_ASSERT(reading.kind == expected.kind);
      RC_ASSERT(reading.latency_ms == expected.latency_ms);
    }
  }
}

}  // namespace
}  // namespace perfatlas
