// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/serving/load_series.h"

#include <algorithm>

namespace perfatlas {

LoadSeries::Interval& LoadSeries::at(double time_ms) {
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
  return intervals_[index];
}

void LoadSeries::add_load(double start_ms, double duration_ms, double waiting, double running) {
  at(start_ms + duration_ms);  // so that the width is final before the first interval is looked up
  double left = duration_ms;
  while (left > 0) {
    Interval& interval = at(start_ms);
    const double end = (double(&interval - intervals_.data()) + 1) * width_ms_;
    const double inside = end > start_ms ? std::min(left, end - start_ms) : left;
    interval.waiting_ms += waiting * inside;
    interval.running_ms += running * inside;
    interval.busy_ms += inside;
    start_ms += inside;
    left -= inside;
  }
}

void LoadSeries::add_arrival(double at_ms) { ++at(at_ms).arrivals; }

}  // namespace perfatlas
