// SPDX-License-Identifier: Apache-2.0
// What a query answers: a time, and everything needed to judge it.
#pragma once

#include <array>
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
  extrapolated,    // beyond them: by the law of the engine that answered
  transferred,     // nothing of this slice was measured: from similar slices
  formula,         // no table: from the figures of the machine
  speed_of_light,  // nothing was measured: the least time this machine could need, not an estimate
};

template <>
inline constexpr auto kEnumNames<AnswerSource> =
    std::array{EnumName<AnswerSource>{AnswerSource::none, "none"},
               EnumName<AnswerSource>{AnswerSource::measured, "measured"},
               EnumName<AnswerSource>{AnswerSource::interpolated, "interpolated"},
               EnumName<AnswerSource>{AnswerSource::extrapolated, "extrapolated"},
               EnumName<AnswerSource>{AnswerSource::transferred, "transferred"},
               EnumName<AnswerSource>{AnswerSource::formula, "formula"},
               EnumName<AnswerSource>{AnswerSource::speed_of_light, "speed_of_light"}};

/// Which rules answer between and beyond measured cases.
enum class Engine {
  atlas,  // box interpolation in work, affine law beyond, calibrated intervals (interp/atlas_slice.h)
  aic,    // the rules of aiconfigurator (interp/grid.h, interp/sites.h)
};

template <>
inline constexpr auto kEnumNames<Engine> =
    std::array{EnumName<Engine>{Engine::atlas, "atlas"}, EnumName<Engine>{Engine::aic, "aic"}};

/// One measured row behind an answer.
struct SupportingRow {
  std::string point;               // the fields on the axes: "m=512 n=4096 k=4096"
  double latency_ms = 0;           // as stored
  std::optional<double> rel_ci95;  // of the row
  std::string kernel_source;
  double weight =
      0;  // share in the answer; the shares sum to 1. Of kriging, whose weights may be negative, by size
  std::string
      origin;  // back end and version of a published row that fills a hole of those asked for; else empty
  bool operator==(const SupportingRow&) const = default;
};

struct Answer {
  AnswerSource source = AnswerSource::none;
  double latency_ms = 0;            // 0 for a miss
  std::optional<double> energy_mj;  // per launch; absent when unknown

  Engine engine = Engine::atlas;

  /// Relative half-width. measured: the 95 % interval of the median (rel_ci95 of the row); absent when the row does not
  /// say. Else, engine aic: nine in ten points of this slice that were predicted from as far were within it
  /// (interp/error_bar.h); engine atlas: the 80 % interval. Absent when unknown.
  std::optional<double> rel_error;

  /// Engine atlas: factors f such that the true latency lies within [latency / f, latency * f] in 50, 80 and 95 % of
  /// cases like this one, by the leave-outs of the same table (interp/atlas_bars.h). Of a measured row: estimated from
  /// how well neighbours agree.
  std::optional<std::array<double, 3>> intervals;

  bool repaired = false;           // the row measured here is spoiled; this is what its neighbours say
  bool faster_than_light = false;  // a row behind the answer was measured below the speed of light

  double distance_octaves = 0;   // to the nearest supporting row
  std::optional<double> sol_ms;  // the speed of light of the case itself; absent when unknown
  /// Rows of the slice that answered, largest share first. Beyond the data, rows that only give the slope have share 0.
  /// Empty where the slice was not measured: `notes` name the similar slices and their shares.
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
