// SPDX-License-Identifier: Apache-2.0
// The error that a family's points have now, told by audits: points drawn as queries will come, predicted before they
// were used. And when to stop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "perfatlas/schema/dtype.h"

namespace perfatlas {

/// One audit: at which place of the family's order, and |predicted / measured - 1|.
struct AuditError {
  uint64_t place = 0;
  double error = 0;
};

/// The advertised error: of the last 200 audits before a place.
struct AuditFigure {
  size_t audits = 0;
  double p90 = 0;
  double low = 0, high = 0;  // 80 % interval of p90 from order statistics (binomial ranks)
};

inline constexpr size_t kAuditWindow = 200;  // half-width of p90 about 11 % of itself
inline constexpr size_t kLeastAudits = 100;  // ... 16 %; fewer say too little

/// Of the audits at places before `place`. Nothing when there are fewer than kLeastAudits.
/// REQUIRES: `audits` ascend by place.
std::optional<AuditFigure> audit_figure(std::span<const AuditError> audits, uint64_t place);

enum class StopVerdict {
  go_on,
  reached,      // p90 is at most the target
  plateau,      // twice as many points have improved p90 by less than 7 %, twice in a row
  unreachable,  // the rows' own noise is above the target
};

template <>
inline constexpr auto kEnumNames<StopVerdict> =
    std::array{EnumName<StopVerdict>{StopVerdict::go_on, "go_on"},
               EnumName<StopVerdict>{StopVerdict::reached, "reached"},
               EnumName<StopVerdict>{StopVerdict::plateau, "plateau"},
               EnumName<StopVerdict>{StopVerdict::unreachable, "unreachable"}};

/// What is known after `places` places of the order. `noise_floor`: the p90 that the rows' own noise makes; 0: unknown.
/// REQUIRES: `audits` ascend by place; target > 0.
StopVerdict stop_verdict(std::span<const AuditError> audits, uint64_t places, double target,
                         double noise_floor);

/// The p90 of |error| that noise alone makes: 0.84 of the median half-width of the rows' 95 % intervals (1.645 / 1.96
/// for normal noise). 0 when there are no rows.
double noise_floor(std::vector<double> rel_ci95);

/// How often a point is measured in all, given its own noise and the current p90: 1 below p90, 2 from p90, 4 from three
/// times p90. A new point tells more than a repetition until then.
int measurements_of(double noise, double p90);

}  // namespace perfatlas
