// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/kernel_times.h"

#include <iterator>

namespace perfatlas::aic {
namespace {

/// What a map has at the key nearest to `wanted`, of two the smaller. REQUIRES: the map is not empty.
template <class Value>
const Value& nearest(const std::map<int64_t, Value>& map, int64_t wanted) {
  const auto above = map.lower_bound(wanted);
  if (above == map.begin()) return above->second;
  const auto below = std::prev(above);
  if (above == map.end() || wanted - below->first <= above->first - wanted) return below->second;
  return above->second;
}

double between(const std::map<int64_t, double>& map, int64_t wanted) {
  const auto above = map.lower_bound(wanted);
  if (above == map.end()) return map.rbegin()->second;
  if (above->first == wanted || above == map.begin()) return above->second;
  const auto below = std::prev(above);
  return below->second + (above->second - below->second) * double(wanted - below->first) /
                             double(above->first - below->first);
}

}  // namespace

void KernelTimes::add(int64_t batch, int64_t isl, int64_t prefix, double latency_ms) {
  batches_[batch][isl][prefix] = latency_ms;
}

std::optional<double> KernelTimes::ms(int64_t batch, int64_t isl, int64_t prefix) const {
  if (isl > longest(batch)) return std::nullopt;
  return between(nearest(nearest(batches_, batch), isl), prefix);
}

int64_t KernelTimes::longest(int64_t batch) const {
  return batches_.empty() ? 0 : nearest(batches_, batch).rbegin()->first;
}

}  // namespace perfatlas::aic
