// SPDX-License-Identifier: Apache-2.0
// When enough has been measured: quiet points cost little, noisy points get more.
#pragma once

#include <span>
#include <string_view>

#include "perfatlas/schema/dtype.h"

namespace perfatlas {

enum class StopReason {
  quiet,    // the interval of the median is narrow enough
  time_up,  // the time for this case is used
  limit,    // the largest allowed number of samples is reached
};

template <>
inline constexpr auto kEnumNames<StopReason> = std::array{
    EnumName<StopReason>{StopReason::quiet, "quiet"}, EnumName<StopReason>{StopReason::time_up, "time_up"},
    EnumName<StopReason>{StopReason::limit, "limit"}};

struct StoppingRule {
  double max_noise = 0.02;   // rel_ci95 that is narrow enough
  size_t min_samples = 10;   // quiet is not believed before; at least 2
  size_t max_samples = 500;  // a median of more gains nothing
  double max_time_s = 1.0;   // of measuring one case
};

struct StopDecision {
  bool stop = false;
  StopReason reason = StopReason::quiet;  // only meaningful when stop
};

/// Judges after each chunk. With fewer than two samples it never stops: no spread could be stated; the deadline of
/// the case ends that.
StopDecision judge(const StoppingRule& rule, std::span<const double> samples, double elapsed_s);

/// Repetitions worth asking for next: doubles what is there, from min_samples up to what max_samples leaves.
/// REQUIRES: judge() says go on.
int next_repetitions(const StoppingRule& rule, size_t samples_so_far);

}  // namespace perfatlas
