// SPDX-License-Identifier: Apache-2.0
// What a plan would have told after each share of its points, tried on tables that are complete already: measuring a
// point means looking it up.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/points/audit_window.h"
#include "perfatlas/points/predictor.h"
#include "perfatlas/replay/replay_family.h"

namespace perfatlas {

/// Quantiles of |predicted / measured - 1| over the hold-out; a row that cannot be predicted does not count.
struct ReplayError {
  double p50 = 0, p90 = 0,
         p99 = 0;  // known and new shapes, half and half, each spread evenly over shapes and octaves
  double known_p90 = 0, new_p90 = 0;  // apart
  double comparable_p90 = 0;          // over those rows that the full grid's resolver answers
  size_t misses = 0;
};

struct ReplayPoint {
  double share = 0;  // of the pool
  size_t points = 0;
  ReplayError error;
};

struct ReplayCurve {
  std::string strategy;  // "small plan", "random", "coarse grid"
  std::vector<ReplayPoint> points;
};

struct ReplayAudit {
  size_t points = 0;  // where the plan would have stopped; 0: it would not
  AuditFigure figure;
  StopVerdict verdict = StopVerdict::go_on;
  ReplayError error;  // what was true there
};

struct ReplayResult {
  std::string system, family;
  size_t rows = 0, pool = 0;
  std::vector<ReplayCurve> curves;
  ReplayError full_kriged;  // the whole pool, read by kriging
  // The whole pool, read by the op's own resolver. It answers nothing of a slice that has no other shape: such rows of
  // new shapes are harder than the rest, so that only comparable_p90 of others may be held against it.
  ReplayError full_resolver;
  std::optional<ReplayAudit> stop;

  /// The smallest share of a curve whose p90 is at most the full grid's by the resolver, over rows that this answers;
  /// nothing when none is.
  std::optional<double> share_needed(const ReplayCurve& curve) const;
};

struct ReplayOptions {
  std::vector<double> shares{.01, .02, .05, .1, .2, .4};
  std::optional<double> target_p90;                  // also replays audits and stopping
  size_t most_tests = 2500;                          // of known and of new shapes each
  std::function<void(const std::string&)> progress;  // one line
};

ReplayResult replay(const OpType& op, const ReplayFamily& family, const SystemSpec& system,
                    const ReplayOptions& options);

std::string replay_text(const ReplayResult& result);
std::string replay_json(const std::vector<ReplayResult>& results);

/// The curves as a drawing of a few kilobytes, both axes logarithmic.
std::string replay_svg(const ReplayResult& result);

}  // namespace perfatlas
