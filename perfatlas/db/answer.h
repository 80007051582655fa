// SPDX-License-Identifier: Apache-2.0
// What a query answers: a time, and everything needed to judge it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/schema/measured_state.h"

namespace perfatlas {

enum class AnswerSource {
  none,            // a miss: miss_reason says why
  measured,        // this very case was measured
  interpolated,    // between measured cases
  extrapolated,    // beyond them, with the efficiency of the nearest ones held
  speed_of_light,  // nothing was measured: the least time this machine could need, not an estimate
};

template <>
inline constexpr auto kEnumNames<AnswerSource> =
    std::array{EnumName<AnswerSource>{AnswerSource::none, "none"},
               EnumName<AnswerSource>{AnswerSource::measured, "measured"},
               EnumName<AnswerSource>{AnswerSource::interpolated, "interpolated"},
               EnumName<AnswerSource>{AnswerSource::extrapolated, "extrapolated"},
               EnumName<AnswerSource>{AnswerSource::speed_of_light, "speed_of_light"}};

/// One measured row behind an answer.
struct SupportingRow {
  std::string point;               // the fields on the axes: "m=512 n=4096 k=4096"
  double latency_ms = 0;           // as stored
  std::optional<double> rel_ci95;  // of the row
  std::string kernel_source;
  double weight = 0;  // share in the answer; the shares sum to 1
  bool operator==(const SupportingRow&) const = default;
};

struct Answer {
  AnswerSource source = AnswerSource::none;
  double latency_ms = 0;            // 0 for a miss
  std::optional<double> energy_mj;  // per launch; absent when unknown

  /// Relative half-width. measured: the 95 % interval of the median (rel_ci95 of the row). interpolated and
  /// extrapolated: nine in ten points of this slice that were predicted from as far were within it
  /// (interp/error_bar.h). Absent when unknown.
  std::optional<double> rel_error;

  double distance_octaves = 0;   // to the nearest supporting row
  std::optional<double> sol_ms;  // the speed of light of the case itself; absent when unknown
  std::vector<SupportingRow> derived_from;

  std::string system, backend, version;   // backend and version are empty when no table was used
  std::string kernel_source;              // several are joined by '+'
  std::optional<CacheState> cache_state;  // absent: the rows do not say (published tables)
  std::vector<std::string> notes;         // what a careful reader should know
  std::string miss_reason;                // one line; names what is known instead

  explicit operator bool() const { return source != AnswerSource::none; }
  bool operator==(const Answer&) const = default;
};

}  // namespace perfatlas
