// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/points/family_audit.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/points/hiccup.h"

namespace perfatlas {
namespace {

constexpr uint64_t kSeedPlaces = 24;
constexpr double kGrowth = 0.3;
constexpr uint64_t kLeastBatch = 8;
constexpr double kDecidedShare = 0.9;  // of a batch's own places: some wait for a retry or for a slow machine
constexpr size_t kLeastForSigma = 8;

uint64_t batch_after(uint64_t end) { return end + std::max(kLeastBatch, uint64_t(kGrowth * double(end))); }

/// Of a batch's places that are told here, and the first batch's end: chance decides how many of a batch fall to a
/// shard, so that a shard waits for fewer of more.
constexpr double kDecidedShareOfShard = 0.5;
uint64_t first_batch(double share) {
  return share < 1 ? uint64_t(2 * double(kSeedPlaces) / share) : kSeedPlaces;
}

}  // namespace

FamilyAudit::FamilyAudit(const OpType& op, PredictorMaker maker, SolContext context, double share)
    : op_(&op), maker_(std::move(maker)), context_(context), share_(share), next_(first_batch(share)) {}

void FamilyAudit::measured(uint64_t place, const MeasuredPlace& point) {
  const bool is_new = points_.insert_or_assign(place, point).second;
  decide(place, is_new && others_.erase(place) == 0);
}

void FamilyAudit::without_latency(uint64_t place) {
  if (!points_.contains(place)) decide(place, others_.insert(place).second);
}

void FamilyAudit::decide(uint64_t place, bool is_new) {
  decided_ += is_new && place >= judged_ && place < next_;
}

bool FamilyAudit::ready() const {
  const double wanted = (share_ < 1 ? kDecidedShareOfShard : kDecidedShare) * share_;
  return double(decided_) >= wanted * double(next_ - judged_);
}

bool FamilyAudit::advance() {
  bool any = false;
  for (; ready(); any = true) judge_batch();
  return any;
}

/// Predicts the batch's audits from what lies before it, then makes its points part of the predictor.
void FamilyAudit::judge_batch() {
  const auto end = points_.lower_bound(next_);
  for (auto at = points_.lower_bound(judged_); at != end; ++at) {
    if (!at->second.audit || !predictor_) continue;
    const auto predicted = predictor_->latency_ms(at->second.values);
    if (!predicted) continue;
    audits_.push_back({at->first, std::abs(*predicted / at->second.latency_ms - 1)});
    log_errors_.push_back(std::log(at->second.latency_ms / *predicted));
  }
  std::vector<SlicePoint> known;
  for (auto at = points_.begin(); at != end; ++at)
    known.push_back({at->second.values, at->second.latency_ms, std::nullopt});
  if (!known.empty()) predictor_ = maker_(*op_, known, context_);
  judged_ = next_;
  next_ = batch_after(next_);
  const auto inside = [this](const auto& places) {
    return uint64_t(std::distance(places.lower_bound(judged_), places.lower_bound(next_)));
  };
  decided_ = inside(points_) + inside(others_);
}

std::optional<double> FamilyAudit::predicted_ms(const FieldValues& values) const {
  return predictor_ ? predictor_->latency_ms(values) : std::nullopt;
}

std::optional<double> FamilyAudit::sigma() const {
  if (log_errors_.size() >= kLeastForSigma) return robust_sigma(log_errors_);
  return predictor_ ? predictor_->sigma() : std::nullopt;
}

std::optional<AuditFigure> FamilyAudit::figure() const { return audit_figure(audits_, judged_); }

double FamilyAudit::floor() const {
  std::vector<double> noise;
  for (const auto& [place, point] : points_)
    if (point.noise > 0) noise.push_back(point.noise);
  return noise_floor(std::move(noise));
}

StopVerdict FamilyAudit::verdict(double target) const {
  return stop_verdict(audits_, judged_, target, floor());
}

}  // namespace perfatlas
