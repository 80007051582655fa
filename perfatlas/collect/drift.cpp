// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/drift.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/measure/statistics.h"

namespace perfatlas {

void Reservoir::offer(const RerunCandidate& candidate) {
  ++offered_;
  if (kept_.size() < capacity_) {
    kept_.push_back(candidate);
    return;
  }
  if (capacity_ == 0) return;
  const uint64_t slot = random_() % offered_;
  if (slot < capacity_) kept_[slot] = candidate;
}

void DriftMeter::add(double first_ms, double again_ms) {
  deviations_.push_back(std::abs(again_ms / first_ms - 1));
}

std::optional<DriftFigures> DriftMeter::figures() const {
  if (deviations_.empty()) return std::nullopt;
  std::vector<double> sorted = deviations_;
  std::sort(sorted.begin(), sorted.end());
  const auto over = std::count_if(sorted.begin(), sorted.end(), [](double d) { return d > 0.1; });
  return DriftFigures{.cases = sorted.size(),
                      .deviation_p50 = quantile(sorted, 0.5),
                      .deviation_p95 = quantile(sorted, 0.95),
                      .share_over_10_percent = double(over) / double(sorted.size())};
}

}  // namespace perfatlas
