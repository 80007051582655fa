// SPDX-License-Identifier: Apache-2.0
// Measuring a seeded sample of the cases again at the end: how much the machine has drifted meanwhile.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "perfatlas/collect/journal.h"

namespace perfatlas {

/// A measured case that may be measured again.
struct RerunCandidate {
  size_t plan_index = 0;
  double first_ms = 0;
};

/// Keeps a uniform sample of everything offered, in constant memory (Vitter, "Random sampling with a reservoir", 1985,
/// algorithm R).
class Reservoir {
 public:
  Reservoir(uint64_t capacity, uint64_t seed) : capacity_(capacity), random_(seed) {}
  void offer(const RerunCandidate& candidate);
  uint64_t offered() const { return offered_; }
  const std::vector<RerunCandidate>& kept() const { return kept_; }

 private:
  uint64_t capacity_;
  std::mt19937_64 random_;
  uint64_t offered_ = 0;
  std::vector<RerunCandidate> kept_;
};

/// Collects re-runs; the deviation of one is |again / first - 1|.
class DriftMeter {
 public:
  void add(double first_ms, double again_ms);
  /// Nothing when nothing was added.
  std::optional<DriftFigures> figures() const;

 private:
  std::vector<double> deviations_;
};

}  // namespace perfatlas
