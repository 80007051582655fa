// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/points/prior_table.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/base/error.h"
#include "perfatlas/measure/statistics.h"

namespace perfatlas {
namespace {

constexpr double kUnchanged = .05;

double share_of(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return quantile(values, share);
}

class PriorPredictor final : public Predictor {
 public:
  PriorPredictor(std::unique_ptr<const KrigedFamily> family, std::shared_ptr<const PriorTable> prior)
      : prior_(std::move(prior)), family_(std::move(family)) {}
  std::optional<double> latency_ms(const FieldValues& values) const override {
    return family_->latency_ms(values);
  }
  std::optional<double> sigma() const override { return family_->sigma(); }

 private:
  std::shared_ptr<const PriorTable> prior_;  // the family's mean asks it
  std::unique_ptr<const KrigedFamily> family_;
};

LogMean mean_from(const OpType& op, const PriorTable& prior, const SolContext& context, PriorUse use) {
  return [&op, &prior, context, use](const FieldValues& values) -> std::optional<double> {
    const auto old = prior.old_ms(values);
    if (!old) return std::nullopt;
    return prior_mean({*old, prior.old_sol_ms(values), sol_ms(op, values, context)}, use, prior.floor_ms());
  };
}

std::unique_ptr<const Predictor> best_of(const OpType& op, std::span<const SlicePoint> points,
                                         const SolContext& context, std::shared_ptr<const PriorTable> prior) {
  auto best = std::make_unique<const KrigedFamily>(op, points, context);
  for (const PriorUse use : {PriorUse::raw, PriorUse::scaled}) {
    if (use == PriorUse::scaled && sol_ms(op, points[0].values, context) <= 0) continue;
    auto candidate = std::make_unique<const KrigedFamily>(op, points, mean_from(op, *prior, context, use));
    if (candidate->known_points() == points.size() && candidate->score() < best->score())
      best = std::move(candidate);
  }
  return std::make_unique<PriorPredictor>(std::move(best), std::move(prior));
}

}  // namespace

PriorTable::PriorTable(const OpType& op, std::span<const SlicePoint> old_points, SolContext old_context)
    : op_(&op), context_(old_context), space_(op) {
  PERFATLAS_ASSERT(!old_points.empty());
  std::map<SliceKey, std::vector<SlicePoint>> by_family;
  std::vector<double> latencies;
  for (const SlicePoint& point : old_points) {
    by_family[space_.family_of(point.values)].push_back(point);
    latencies.push_back(point.latency_ms);
  }
  floor_ms_ = share_of(std::move(latencies), .01);
  for (const auto& [key, points] : by_family) {
    Family family{std::make_unique<const KrigedFamily>(op, points, old_context), {}};
    for (const SlicePoint& point : points) family.measured_ms[point.values] = point.latency_ms;
    for (const auto& doubted : family.field->contradicted())
      family.measured_ms[points[doubted.point].values] = doubted.expected_ms;
    families_.emplace(key, std::move(family));
  }
}

std::optional<double> PriorTable::old_ms(const FieldValues& values) const {
  const auto family = families_.find(space_.family_of(values));
  if (family == families_.end()) return std::nullopt;
  const auto measured = family->second.measured_ms.find(values);
  return measured != family->second.measured_ms.end() ? std::optional(measured->second)
                                                      : family->second.field->latency_ms(values);
}

PredictorMaker make_prior_predictor_maker(PriorTables priors) {
  return
      [priors = std::move(priors)](const OpType& op, std::span<const SlicePoint> points, SolContext context) {
        const auto prior = priors.find(op.info.id);
        return prior == priors.end() ? make_kriged_predictor(op, points, context)
                                     : best_of(op, points, context, prior->second);
      };
}

std::vector<PriorChange> changes_since(const OpType& op, const PriorTable& prior,
                                       std::span<const SlicePoint> measured) {
  const SizeSpace space(op);
  std::map<std::string, std::vector<double>> ratios;
  for (const SlicePoint& point : measured)
    if (const auto old = prior.old_ms(point.values))
      ratios[space.family_name(point.values)].push_back(point.latency_ms / *old);
  std::vector<PriorChange> changes;
  for (const auto& [family, values] : ratios) {
    PriorChange change{family, values.size(), 0, share_of(values, .5), 0};
    std::vector<double> rest;
    for (const double ratio : values) {
      change.unchanged_share += double(std::abs(ratio - 1) <= kUnchanged) / double(values.size());
      rest.push_back(std::abs(ratio / change.median_ratio - 1));
    }
    change.rest_p90 = share_of(std::move(rest), .9);
    changes.push_back(change);
  }
  return changes;
}

}  // namespace perfatlas
