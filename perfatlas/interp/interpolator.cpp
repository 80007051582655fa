// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/interpolator.h"

#include "perfatlas/base/error.h"
#include "perfatlas/interp/grid.h"
#include "perfatlas/interp/sites.h"

namespace perfatlas {

AxisLayout axis_layout(const OpType& op) {
  PERFATLAS_ASSERT(!op.axes.empty() && op.axes.size() <= kMaxAxes);
  AxisLayout layout{.axes = op.axes.size(), .resolver = op.layout.resolver};
  for (size_t i = 0; i < op.axes.size(); ++i) layout.transforms[i] = op.axes[i].transform;
  if (layout.resolver == Resolver::sites) {
    layout.site_axes = size_t(op.layout.site_axes);
    PERFATLAS_ASSERT(layout.site_axes > 0 && layout.site_axes + 1 == layout.axes);
  }
  return layout;
}

std::unique_ptr<const Interpolator> make_interpolator(const AxisLayout& layout,
                                                      std::span<const MeasuredPoint> points,
                                                      const SolFunction& sol) {
  PERFATLAS_ASSERT(!points.empty());
  if (layout.resolver == Resolver::sites) return std::make_unique<const SitesInterpolator>(layout, points);
  return std::make_unique<const GridInterpolator>(layout, points, sol);
}

}  // namespace perfatlas
