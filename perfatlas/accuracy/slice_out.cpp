// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/accuracy/slice_out.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <random>

#include "perfatlas/db/resemblance.h"
#include "perfatlas/interp/atlas_model.h"
#include "perfatlas/interp/utilisation_grid.h"

namespace perfatlas {
namespace {

constexpr size_t kMostSlices = 400, kMostPoints = 9, kCalibrated = 500;

/// One group of comparable slices.
class GroupTrial {
 public:
  GroupTrial(const OpType& op, std::vector<const OpSlice*> slices) : op_(op), slices_(std::move(slices)) {
    std::vector<TransferMember> members;
    for (const OpSlice* slice : slices_) {
      grids_.push_back(std::make_unique<const AtlasSlice>(atlas_law(op), slice->points, slice->sol(op)));
      members.push_back({transfer_shape(op, slice->prototype, slice->context()), grids_.back().get()});
    }
    transfer_ = std::make_unique<const TransferGroup>(transfer_rule(op), std::move(members));
    bars_ = transfer_->calibrate(kCalibrated);
  }

  void run(uint64_t seed, std::vector<LeftOut>& found) const {
    std::vector<uint32_t> all(slices_.size()), chosen;
    for (uint32_t i = 0; i < all.size(); ++i) all[i] = i;
    std::mt19937_64 random(seed);
    std::sample(all.begin(), all.end(), std::back_inserter(chosen), kMostSlices, random);
    for (const uint32_t i : chosen) {
      std::vector<uint32_t> layer;
      for (uint32_t other = 0; other < slices_.size(); ++other)
        if (layer_of(op_, slices_[other]->prototype) == layer_of(op_, slices_[i]->prototype))
          layer.push_back(other);
      if (layer.size() > 1) ask(HoldOutKind::missing_split, i, {&i, 1}, found);
      ask(HoldOutKind::missing_layer, i, layer, found);
    }
  }

 private:
  void ask(HoldOutKind kind, uint32_t missing, std::span<const uint32_t> gone,
           std::vector<LeftOut>& found) const {
    const TransferShape& shape = transfer_->members()[missing].shape;
    const auto near = transfer_->neighbours(shape, gone);
    if (near.empty()) return;
    const auto borrowed = efficiency_of_nearest(missing, gone);
    const OpSlice& slice = *slices_[missing];
    const size_t step = std::max<size_t>(1, slice.points.size() / kMostPoints);
    for (size_t i = missing % step; i < slice.points.size(); i += step) {
      const MeasuredPoint& truth = slice.points[i];
      std::array<double, kMaxAxes> at{};
      for (size_t d = 0; d < kMaxAxes; ++d) at[d] = double(truth.at[d]);
      if (grids_[missing]->estimate(at.data(), AtlasBars::prior()).repaired) continue;
      const TransferEstimate e = transfer_->estimate(shape, near, at.data());
      const SolParts sol = shape.sol(at.data());
      const double aic = borrowed ? sol.bound_ms() / borrowed->at(truth.at) : 0;
      found.push_back({kind, 0, truth.latency_ms, sol.math_ms > sol.memory_ms, aic, e.latency_ms,
                       width_of(bars_, e.spread)});
    }
  }

  /// What the compatible engine borrows from: the nearest layer with the same parallel split.
  std::unique_ptr<const UtilisationGrid> efficiency_of_nearest(uint32_t missing,
                                                               std::span<const uint32_t> gone) const {
    if (op_.info.id != "moe") return nullptr;
    const size_t tp = *op_.find_field("moe_tp_size"), ep = *op_.find_field("moe_ep_size");
    const FieldValues& wanted = slices_[missing]->prototype;
    const auto features = [&](const FieldValues& v) {
      std::vector<double> f;
      for (const std::string_view name : {"topk", "num_experts", "hidden_size", "inter_size"})
        f.push_back(double(v[*op_.find_field(name)]));
      return f;
    };
    std::vector<std::vector<double>> candidates;
    std::vector<uint32_t> numbers;
    for (uint32_t i = 0; i < slices_.size(); ++i) {
      const FieldValues& v = slices_[i]->prototype;
      if (v[tp] != wanted[tp] || v[ep] != wanted[ep] || std::find(gone.begin(), gone.end(), i) != gone.end())
        continue;
      candidates.push_back(features(v));
      numbers.push_back(i);
    }
    if (candidates.empty()) return nullptr;
    const OpSlice& nearest = *slices_[numbers[nearest_candidate(candidates, features(wanted))]];
    const SolLaw law = nearest.sol(op_);
    const SolFunction sol = [&law](const Coordinates& place) {
      const double x = double(place[0]);
      return law(&x).bound_ms();
    };
    return std::make_unique<const UtilisationGrid>(1, nearest.points, sol);
  }

  const OpType& op_;
  std::vector<const OpSlice*> slices_;
  std::vector<std::unique_ptr<const AtlasSlice>> grids_;
  std::unique_ptr<const TransferGroup> transfer_;
  TransferBars bars_;
};

}  // namespace

std::vector<LeftOut> slice_out(const OpType& op, std::span<const OpSlice> slices,
                               const LeaveOutOptions& options) {
  std::map<SliceKey, std::vector<const OpSlice*>> groups;
  for (const OpSlice& slice : slices) {
    auto key = transfer_group(op, slice.prototype);
    if (!key || !slice.machine || slice.points.size() < 3) continue;
    if (fill_fraction(op.axes.size(), slice.points) < kDenseFill) continue;
    key->push_back(Symbol(slice.kernel).id());
    groups[*key].push_back(&slice);
  }
  std::vector<LeftOut> found;
  for (auto& [key, members] : groups)
    if (members.size() > transfer_rule(op).nearest)
      GroupTrial(op, std::move(members)).run(options.seed, found);
  return found;
}

}  // namespace perfatlas
