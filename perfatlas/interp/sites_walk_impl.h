// SPDX-License-Identifier: Apache-2.0
// One question to a SitesInterpolator.
#pragma once

#include "perfatlas/interp/log_axis_impl.h"
#include "perfatlas/interp/sites.h"

namespace perfatlas {

inline Reading reading_of(const Estimate& estimate) {
  return {estimate.kind, estimate.latency_ms, estimate.energy_mj.value_or(kUnknown), estimate.miss_reason};
}

class SitesWalk {
 public:
  SitesWalk(const SitesInterpolator& sites, const Question& question);
  Estimate estimate();

 private:
  friend class SiteCurve;
  static constexpr size_t kSites = 4;         // that enter the mean
  static constexpr double kMaxOctaves = 2.0;  // how far utilisation is carried over between weight shapes
  static constexpr size_t kTail = 3;          // end points of a curve whose median utilisation is held

  /// A site's own answer at the place of the question on the curve axis.
  struct OnCurve {
    EstimateKind kind = EstimateKind::miss;
    PoweredLatency value{};
    std::array<Support, kTail> supports{};
    size_t support_count = 0;
  };
  struct Neighbour {
    double square = 0;  // of the distance in octaves
    uint32_t site = 0;
  };
  struct Neighbours {
    std::array<Neighbour, kSites> nearest{};
    size_t count = 0;
    void offer(Neighbour candidate);
  };
  /// Which sites count, and by which distance they are limited.
  struct Selection {
    bool covering_only = false;
    int free_axis = -1;  // the axis beyond the largest site, which the limit leaves out
  };

  uint32_t known_site() const;
  OnCurve on_curve(uint32_t site) const;
  OnCurve hold_tail(uint32_t site, uint32_t begin, uint32_t end) const;
  OnCurve blend(uint32_t low, uint32_t high) const;
  bool alive(uint32_t site) const;
  bool covers(uint32_t site) const;
  Neighbours select(const Selection& selection) const;
  bool any_covers() const;
  int frontier_axis(bool covering_only) const;
  bool inside_box(const Neighbours& neighbours) const;

  Estimate from_own(uint32_t site, const OnCurve& own) const;
  Estimate transfer() const;
  /// The mean over neighbours; a miss when none of them has a speed of light.
  struct Weighed {
    EstimateKind kind = EstimateKind::miss;
    PoweredLatency value{};
    double total = 0;  // of the weights
  };
  /// Calls visit(OnCurve, squared distance, weight) for each that counts.
  template <class Visit>
  Weighed mean_of(const Neighbours& chosen, bool inside, const Visit& visit) const;
  Estimate weigh(const Neighbours& chosen, bool inside) const;
  /// The same without points and distance.
  Reading weigh_reading(const Neighbours& chosen, bool inside) const;
  Estimate miss(std::string_view reason) const;

  double sol(Coordinates at) const { return question_.sol ? question_.sol(at) : 0; }
  double sol_at(uint32_t site, int64_t place) const;
  double energy(uint32_t entry) const {
    return sites_.energy_mj_.empty() ? kUnknown : sites_.energy_mj_[entry];
  }

  const SitesInterpolator& sites_;
  const Question& question_;
  size_t curve_axis_;
  int64_t place_;  // of the question on the curve axis
  uint32_t gone_ = kNone;
  std::array<double, kMaxAxes> octave_{};
};

}  // namespace perfatlas
