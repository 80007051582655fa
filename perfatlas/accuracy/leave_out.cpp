// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/accuracy/leave_out.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <unordered_map>

#include "perfatlas/interp/atlas_polynomial.h"
#include "perfatlas/interp/interpolator.h"

namespace perfatlas {
namespace {

/// Coordinates as the engines want them.
std::array<double, kMaxAxes> position_of(const MeasuredPoint& point) {
  std::array<double, kMaxAxes> at{};
  for (size_t d = 0; d < kMaxAxes; ++d) at[d] = double(point.at[d]);
  return at;
}

/// The law with its answers kept: every leave-out asks for the same places again.
SolLaw remembered(SolLaw law, size_t axes) {
  if (!law || is_polynomial(law)) return law;
  auto kept = std::make_shared<std::unordered_map<Coordinates, SolParts, CoordinatesHash>>();
  return [law = std::move(law), kept, axes](const double* at) {
    Coordinates place{};
    for (size_t d = 0; d < axes; ++d) place[d] = std::llround(at[d]);
    const auto [found, is_new] = kept->try_emplace(place);
    if (is_new) found->second = law(at);
    return found->second;
  };
}

/// Both engines on the questions about one slice.
class SliceTrial {
 public:
  SliceTrial(const OpType& op, const OpSlice& slice, const AtlasBars& bars)
      : slice_(slice),
        bars_(bars),
        law_(atlas_law(op)),
        layout_(axis_layout(op)),
        clamp_(op.layout.clamp_to_sol),
        sol_(remembered(slice.sol(op), op.axes.size())),
        whole_(make_cells(law_, slice.points, sol_)) {
    if (sol_)
      bound_ = [this](const Coordinates& at) { return sol_(position_of({.at = at}).data()).bound_ms(); };
  }
  SliceTrial(const SliceTrial&) = delete;  // bound_ refers to this
  SliceTrial& operator=(const SliceTrial&) = delete;

  void run(uint64_t seed, std::vector<LeftOut>& found) {
    const HoldOutPlan plan{law_.axes, layout_.resolver == Resolver::sites ? layout_.site_axes : 0, seed};
    for (const HoldOut& h : hold_outs(plan, slice_.points)) ask(h, found);
  }

 private:
  bool trustworthy(const MeasuredPoint& point) const {
    size_t cell = 0;
    for (size_t d = 0; d < law_.axes; ++d)
      cell += whole_.axis[d]->place_of(double(point.at[d])).a * whole_.stride[d];
    return whole_.cell[cell].trusted();
  }

  void ask(const HoldOut& h, std::vector<LeftOut>& found) {
    std::vector<bool> gone(slice_.points.size());
    for (const uint32_t i : h.removed) gone[i] = true;
    std::vector<MeasuredPoint> rest;
    for (size_t i = 0; i < gone.size(); ++i)
      if (!gone[i]) rest.push_back(slice_.points[i]);
    const AtlasSlice atlas(law_, rest, sol_);
    if (clamp_ && bound_)
      for (MeasuredPoint& point : rest) point.latency_ms = std::max(point.latency_ms, bound_(point.at));
    const auto aic = make_interpolator(layout_, rest, bound_);
    for (const uint32_t i : h.asked) {
      const MeasuredPoint& truth = slice_.points[i];
      if (!trustworthy(truth)) continue;
      const auto at = position_of(truth);
      const AtlasEstimate e = atlas.estimate(at.data(), bars_);
      const SolParts sol = sol_ ? sol_(at.data()) : SolParts();
      found.push_back({h.kind, h.axis, truth.latency_ms, sol.math_ms > sol.memory_ms,
                       aic->read({.at = truth.at, .sol = bound_}).latency_ms, e.latency_ms, e.half_width});
    }
  }

  const OpSlice& slice_;
  const AtlasBars& bars_;
  AtlasLaw law_;
  AxisLayout layout_;
  bool clamp_;
  SolLaw sol_;
  SolFunction bound_;
  AtlasCells whole_;
};

bool usable(const OpType& op, const OpSlice& slice) {
  return slice.points.size() >= 3 && box_cells(op.axes.size(), slice.points) <= kMostCells;
}

}  // namespace

AtlasBars table_bars(const OpType& op, std::span<const OpSlice> slices) {
  size_t rows = 0;
  for (const OpSlice& slice : slices) rows += slice.points.size();
  BarCalibration calibration(calibration_share(rows), 1);
  for (const OpSlice& slice : slices)
    if (usable(op, slice)) calibration.add(make_cells(atlas_law(op), slice.points, slice.sol(op)));
  return calibration.bars();
}

std::vector<LeftOut> leave_out(const OpType& op, std::span<const OpSlice> slices,
                               const LeaveOutOptions& options) {
  const AtlasBars bars = table_bars(op, slices);
  std::mt19937_64 random(options.seed);
  std::vector<LeftOut> found;
  for (const OpSlice& slice : slices) {
    const uint64_t draw = random();
    if (!usable(op, slice) || double(draw >> 11) * 0x1p-53 >= options.share) continue;
    SliceTrial(op, slice, bars).run(draw, found);
  }
  return found;
}

}  // namespace perfatlas
