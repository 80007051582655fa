// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/atlas_transfer.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

constexpr size_t kMostFitted = 10'000;
constexpr std::array<double, kBarBins - 1> kResidualEdges{.03, .06, .1, .15, .22, .32, .5};
constexpr BarWidths kPrior{.08f, .3f, .8f};

size_t residual_bin(double spread) {
  size_t bin = 0;
  for (const double edge : kResidualEdges) bin += spread > edge;
  return bin;
}

double squared_distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

}  // namespace

double TransferGroup::Curve::at(double log_local_work) const {
  const auto after = std::upper_bound(log_local.begin(), log_local.end(), log_local_work);
  if (after == log_local.begin()) return residual.front();
  if (after == log_local.end()) return residual.back();
  const auto i = size_t(after - log_local.begin());
  const double share = (log_local_work - log_local[i - 1]) / (log_local[i] - log_local[i - 1]);
  return residual[i - 1] + (residual[i] - residual[i - 1]) * share;
}

TransferGroup::TransferGroup(TransferRule rule, std::vector<TransferMember> members)
    : rule_(rule), members_(std::move(members)) {
  PERFATLAS_ASSERT(!members_.empty());
  fit();
  if (members_[0].slice->cells().law.axes != 1) return;
  for (const TransferMember& member : members_) {
    const AtlasCells& cells = member.slice->cells();
    Curve& curve = curves_.emplace_back();
    for (size_t cell = 0; cell < cells.size(); ++cell) {
      const double key = cells.keys(0)[cell];
      curve.log_local.push_back(std::log(key * member.shape.scale));
      curve.residual.push_back(std::log(cells.cell[cell].latency_ms / roofline_.at(member.shape.sol(&key))));
    }
  }
}

void TransferGroup::fit() {
  size_t rows = 0;
  for (const TransferMember& member : members_) rows += member.slice->cells().size();
  const size_t step = (rows + kMostFitted - 1) / kMostFitted;
  std::vector<RooflinePoint> points;
  size_t row = 0;
  for (const TransferMember& member : members_) {
    const AtlasCells& cells = member.slice->cells();
    for (size_t cell = 0; cell < cells.size(); ++cell)
      if (row++ % step == 0 && cells.cell[cell].trusted())
        points.push_back({member.shape.sol(cells.position(cell).data()), cells.cell[cell].latency_ms});
  }
  roofline_ = fit_roofline(points);
}

std::vector<TransferNeighbour> TransferGroup::neighbours(const TransferShape& shape,
                                                         std::span<const uint32_t> without) const {
  std::vector<TransferNeighbour> all;
  for (uint32_t i = 0; i < members_.size(); ++i)
    if (std::find(without.begin(), without.end(), i) == without.end())
      all.push_back({i, squared_distance(members_[i].shape.features, shape.features), 0});
  const size_t kept = std::min(rule_.nearest, all.size());
  std::partial_sort(
      all.begin(), all.begin() + std::ptrdiff_t(kept), all.end(), [](const auto& a, const auto& b) {
        return a.squared_distance != b.squared_distance ? a.squared_distance < b.squared_distance
                                                        : a.member < b.member;
      });
  all.resize(kept);
  double sum = 0;
  for (TransferNeighbour& n : all) sum += n.share = 1 / (n.squared_distance + rule_.softening);
  for (TransferNeighbour& n : all) n.share /= sum;
  return all;
}

double TransferGroup::residual(uint32_t member, const TransferShape& asked, const double* at) const {
  if (!curves_.empty()) return curves_[member].at(std::log(at[0] * asked.scale));
  static const AtlasBars kNoBars = AtlasBars::prior();
  const TransferMember& m = members_[member];
  return std::log(m.slice->estimate(at, kNoBars).latency_ms / roofline_.at(m.shape.sol(at)));
}

TransferEstimate TransferGroup::estimate(const TransferShape& shape,
                                         std::span<const TransferNeighbour> neighbours,
                                         const double* at) const {
  double mean = 0, square = 0;
  for (const TransferNeighbour& n : neighbours) {
    const double r = residual(n.member, shape, at);
    mean += n.share * r;
    square += n.share * r * r;
  }
  const SolParts sol = shape.sol(at);
  return {std::max(roofline_.at(sol) * std::exp(mean), sol.bound_ms()),
          std::sqrt(std::max(0.0, square - mean * mean))};
}

TransferBars TransferGroup::calibrate(size_t most) const {
  std::array<std::vector<float>, kBarBins> errors;
  const size_t step = (members_.size() + most - 1) / std::max<size_t>(1, most);
  for (uint32_t i = 0; i < members_.size() && members_.size() > 1; i += uint32_t(std::max<size_t>(1, step))) {
    const auto nearest = neighbours(members_[i].shape, {&i, 1});
    const AtlasCells& cells = members_[i].slice->cells();
    const size_t stride = std::max<size_t>(1, cells.size() / 8);
    for (size_t cell = i % stride; cell < cells.size(); cell += stride) {
      if (!cells.cell[cell].trusted()) continue;
      const TransferEstimate e = estimate(members_[i].shape, nearest, cells.position(cell).data());
      errors[residual_bin(e.spread)].push_back(
          float(std::abs(std::log(e.latency_ms / cells.cell[cell].latency_ms))));
    }
  }
  return bars_of_bins(errors, kPrior);
}

const BarWidths& width_of(const TransferBars& bars, double spread) { return bars[residual_bin(spread)]; }

}  // namespace perfatlas
