// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/learned_cost.h"

#include <algorithm>
#include <utility>

namespace perfatlas {

LearnedCost::LearnedCost(std::function<double(const Case&)> prior) : prior_(std::move(prior)) {}

void LearnedCost::expect(const Case& c, double cases) { ops_[c.op].left += cases * prior_(c); }

void LearnedCost::drop(const Case& c) {
  Sums& op = ops_[c.op];
  op.left = std::max(0.0, op.left - prior_(c));
}

void LearnedCost::learn(const Case& c, double seconds) {
  drop(c);
  const double expected = prior_(c);
  for (Sums* sums : {&ops_[c.op], &all_}) {
    sums->done += expected;
    sums->took += seconds;
    ++sums->cases;
  }
}

double LearnedCost::common_factor() const { return all_.done > 0 ? all_.took / all_.done : 1; }

/// The op's own factor, as if one average case had behaved like those of all ops: a single odd case does not decide.
double LearnedCost::factor(const Sums& sums, double common) {
  if (sums.cases == 0) return common;
  const double average = sums.done / sums.cases;
  return (sums.took + common * average) / (sums.done + average);
}

double LearnedCost::seconds_of(const Case& c) const {
  const auto op = ops_.find(c.op);
  return prior_(c) * (op == ops_.end() ? common_factor() : factor(op->second, common_factor()));
}

double LearnedCost::remaining_s() const {
  double seconds = 0;
  for (const auto& [op, sums] : ops_) seconds += sums.left * factor(sums, common_factor());
  return seconds;
}

}  // namespace perfatlas
