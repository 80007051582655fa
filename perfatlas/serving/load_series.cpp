// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/serving/load_series.h"

namespace perfatlas {

size_t LoadSeries::index_of(double time_ms) {
  while (time_ms >= width_ms_ * double(kMostIntervals)) {
    for (size_t i = 0; i < intervals_.size(); i += 2) {
      Interval joined = intervals_[i];
      if (i + 1 < intervals_.size()) {
        joined.waiting_ms += intervals_[i + 1].waiting_ms;
        joined.running_ms += intervals_[i + 1].running_ms;
        joined.busy_ms += intervals_[i + 1].busy_ms;
        joined.arrivals += intervals_[i + 1].arrivals;
      }
      intervals_[i / 2] = joined;
    }
    intervals_.resize((intervals_.size() + 1) / 2);
    width_ms_ *= 2;
  }
  const auto index = size_t(time_ms / width_ms_);
  if (index >= intervals_.size()) intervals_.resize(index + 1);
  return index;
}

void LoadSeries::add_load(double start_ms, double duration_ms, double waiting, double running) {
  const double stop_ms = start_ms + duration_ms;
  const size_t last = index_of(stop_ms);  // first of all, so that the width is final
  for (size_t i = index_of(start_ms); i <= last; ++i) {
    const double end_ms = i == last ? stop_ms : double(i + 1) * width_ms_;
    const double inside_ms = end_ms - start_ms;
    Interval& interval = intervals_[i];
    interval.waiting_ms += waiting * inside_ms;
    interval.running_ms += running * inside_ms;
    interval.busy_ms += inside_ms;
    start_ms = end_ms;
  }
}

void LoadSeries::add_arrival(double at_ms) { ++intervals_[index_of(at_ms)].arrivals; }

}  // namespace perfatlas
