// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/points/audit_window.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/measure/statistics.h"

namespace perfatlas {
namespace {

constexpr double kPlateau = 0.93;
constexpr double kZ80 = 1.2816;  // normal quantile of the ends of an 80 % interval

/// The value at a rank of the sorted errors, ranks outside clamped.
double at_rank(const std::vector<double>& sorted, double rank) {
  return sorted[size_t(std::clamp(rank, 0.0, double(sorted.size() - 1)))];
}

}  // namespace

std::optional<AuditFigure> audit_figure(std::span<const AuditError> audits, uint64_t place) {
  const auto end = std::lower_bound(audits.begin(), audits.end(), place,
                                    [](const AuditError& a, uint64_t p) { return a.place < p; });
  const size_t before = size_t(end - audits.begin());
  if (before < kLeastAudits) return std::nullopt;
  const size_t used = std::min(before, kAuditWindow);
  std::vector<double> errors;
  for (auto audit = end - std::ptrdiff_t(used); audit != end; ++audit) errors.push_back(audit->error);
  std::sort(errors.begin(), errors.end());
  const double n = double(used), spread = kZ80 * std::sqrt(n * .9 * .1);
  return AuditFigure{used, quantile(errors, .9), at_rank(errors, std::floor(.9 * n - spread)),
                     at_rank(errors, std::ceil(.9 * n + spread))};
}

StopVerdict stop_verdict(std::span<const AuditError> audits, uint64_t places, double target,
                         double noise_floor) {
  const auto now = audit_figure(audits, places);
  if (!now) return StopVerdict::go_on;
  if (now->p90 <= target) return StopVerdict::reached;
  if (noise_floor > target) return StopVerdict::unreachable;
  const auto half = audit_figure(audits, places / 2), quarter = audit_figure(audits, places / 4);
  if (half && quarter && now->p90 > kPlateau * half->p90 && half->p90 > kPlateau * quarter->p90)
    return StopVerdict::plateau;
  return StopVerdict::go_on;
}

double noise_floor(std::vector<double> rel_ci95) {
  if (rel_ci95.empty()) return 0;
  std::sort(rel_ci95.begin(), rel_ci95.end());
  return 1.645 / 1.96 * quantile(rel_ci95, .5);
}

int measurements_of(double noise, double p90) {
  if (noise >= 3 * p90) return 4;
  return noise >= p90 ? 2 : 1;
}

}  // namespace perfatlas
