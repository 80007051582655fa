// SPDX-License-Identifier: Apache-2.0
// Leave-outs as figures.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "perfatlas/accuracy/leave_out.h"

namespace perfatlas {

/// Errors ln(predicted / measured) of one engine, as shares: 0.1 is 10 %.
struct EngineError {
  size_t answered = 0;
  double p50 = 0, p90 = 0, p99 = 0;  // of absolute errors
  double bias = 0;                   // median of signed errors: above 0 predicts too slow
};

/// One group of leave-outs.
struct LooGroup {
  std::string name;  // "plane", "inside", "inside < 30 us"
  size_t asked = 0;
  EngineError aic, atlas;
  std::array<double, 3> coverage{};  // share within atlas' 50, 80 and 95 % bars
};

/// One op of one system, over all tables that were looked at.
struct LooReport {
  std::string op;
  std::vector<std::string> tables;  // "trtllm/1.3.0rc20: 100668 rows, 3 slices"
  std::vector<LooGroup> groups;
};

/// Groups: every kind of hold-out; inside and beyond; and of both the strata of latency (below 30 us, to 1 ms, above)
/// and of what bounds the speed of light. Empty groups are left out.
std::vector<LooGroup> summarise(std::span<const LeftOut> found);

/// Tables for people; one line per group.
std::string loo_text(const std::string& system, std::span<const LooReport> reports);
/// One JSON object; errors as shares.
std::string loo_json(const std::string& system, std::span<const LooReport> reports);

}  // namespace perfatlas
