// SPDX-License-Identifier: Apache-2.0
// Blocks are measured with random scores, whose largest lie anywhere; in service they lie at the end, where they are
// found sooner. What that makes up was measured apart (dsv4_csa_topk_calib) and is taken off, as aiconfigurator 0.12
// does.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/phase_point.h"

namespace perfatlas::aic {

/// Time over the axes of a grid that need not be full: linear between neighbours on each axis in turn, outermost
/// first; outside them that of the nearest. Immutable after the last add().
class NestedTimes {
 public:
  void add(const std::vector<int64_t>& at, double latency_ms);
  bool empty() const { return inner_.empty(); }
  /// 0 while empty. REQUIRES: as many axes as were added.
  double at(const std::vector<int64_t>& place) const { return read(place, 0); }

 private:
  double read(const std::vector<int64_t>& place, size_t axis) const;

  double latency_ms_ = 0;  // of a leaf
  std::map<int64_t, NestedTimes> inner_;
};

/// Of one model's head count: the difference between random and trailing scores, never negative.
class TopkExcess {
 public:
  /// Read when first asked for, then shared; nothing when the database has no such rows. `native_heads` as
  /// on_head_ladder.
  static std::shared_ptr<const TopkExcess> find(const Binding& binding, bool context, int64_t native_heads);

  double ms(const PhasePoint& at) const;

 private:
  struct Family;
  bool context_ = true;
  NestedTimes random_, trailing_;
};

}  // namespace perfatlas::aic
