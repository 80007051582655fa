// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/plan_stretches.h"

#include <algorithm>

#include "perfatlas/base/error.h"

namespace perfatlas {

PlanStretches::PlanStretches(const std::vector<uint32_t>& indices) {
  for (const uint32_t index : indices) push_back(index);
}

void PlanStretches::push_back(uint32_t index) {
  if (!stretches_.empty() && stretches_.back().end == index)
    ++stretches_.back().end;
  else
    stretches_.push_back({index, index + 1});
  ++size_;
}

void StretchCursor::advance(size_t steps) {
  PERFATLAS_ASSERT(steps <= left_);
  left_ -= steps;
  while (steps > 0) {
    const PlanStretches::Stretch& stretch = indices_.stretches()[stretch_];
    const auto taken = uint32_t(std::min<size_t>(steps, stretch.end - stretch.begin - offset_));
    offset_ += taken;
    steps -= taken;
    if (stretch.begin + offset_ < stretch.end) return;
    ++stretch_;
    offset_ = 0;
  }
}

}  // namespace perfatlas
