// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/points/predictor.h"

#include <map>

#include "perfatlas/interp/kriged_family.h"

namespace perfatlas {
namespace {

class ResolverPredictor final : public Predictor {
 public:
  ResolverPredictor(const OpType& op, std::span<const SlicePoint> points, SolContext context) : op_(op) {
    std::map<SliceKey, std::map<Coordinates, SlicePoint>> by_slice;
    for (const SlicePoint& point : points)
      by_slice[op.slice_of(point.values)][coordinates_of(op, point.values)] = point;
    for (const auto& [key, places] : by_slice) {
      std::vector<SlicePoint> own;
      for (const auto& [place, point] : places) own.push_back(point);
      slices_.try_emplace(key, op, own, context);
    }
  }

  std::optional<double> latency_ms(const FieldValues& values) const override {
    const auto slice = slices_.find(op_.slice_of(values));
    if (slice == slices_.end()) return std::nullopt;
    const Estimate estimate = slice->second.estimate(values);
    if (estimate.kind == EstimateKind::miss) return std::nullopt;
    return estimate.latency_ms;
  }

 private:
  const OpType& op_;
  std::map<SliceKey, Slice> slices_;
};

class KrigedPredictor final : public Predictor {
 public:
  KrigedPredictor(const OpType& op, std::span<const SlicePoint> points, SolContext context)
      : family_(op, points, context) {}
  std::optional<double> latency_ms(const FieldValues& values) const override {
    return family_.latency_ms(values);
  }
  std::optional<double> sigma() const override { return family_.sigma(); }

 private:
  KrigedFamily family_;
};

}  // namespace

std::unique_ptr<const Predictor> make_kriged_predictor(const OpType& op, std::span<const SlicePoint> points,
                                                       SolContext context) {
  return std::make_unique<KrigedPredictor>(op, points, context);
}

std::unique_ptr<const Predictor> make_resolver_predictor(const OpType& op, std::span<const SlicePoint> points,
                                                         SolContext context) {
  return std::make_unique<ResolverPredictor>(op, points, context);
}

}  // namespace perfatlas
