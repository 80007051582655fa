// SPDX-License-Identifier: Apache-2.0
// What a latency limit is on: the mean, or a percentile.
#pragma once

#include <array>
#include <string_view>

#include "perfatlas/schema/dtype.h"
#include "perfatlas/serving/distribution.h"

namespace perfatlas {

enum class Statistic { mean, p50, p90, p99 };

template <>
inline constexpr auto kEnumNames<Statistic> =
    std::array{EnumName<Statistic>{Statistic::mean, "mean"}, EnumName<Statistic>{Statistic::p50, "p50"},
               EnumName<Statistic>{Statistic::p90, "p90"}, EnumName<Statistic>{Statistic::p99, "p99"}};

inline double value_of(const Summary& summary, Statistic statistic) {
  switch (statistic) {
    case Statistic::mean:
      return summary.mean;
    case Statistic::p50:
      return summary.p50;
    case Statistic::p90:
      return summary.p90;
    case Statistic::p99:
      return summary.p99;
  }
  return summary.mean;
}

}  // namespace perfatlas
