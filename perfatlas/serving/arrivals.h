// SPDX-License-Identifier: Apache-2.0
// The requests that are under way to an engine, in order of arrival. Holds only those sent and not yet arrived.
#pragma once

#include <queue>
#include <random>
#include <vector>

#include "perfatlas/serving/request.h"
#include "perfatlas/serving/workload.h"

namespace perfatlas {

class Arrivals {
 public:
  /// Sends what is sent at time 0. REQUIRES: check_workload(workload) passes.
  Arrivals(const Workload& workload, RequestPath path);

  /// When the next request under way arrives at the engine; infinity when none is.
  double next_ms() const { return under_way_.empty() ? kNever : under_way_.top().arrive_ms; }
  /// Whether the next request is there at `clock_ms`. Clocks that were summed up in another order still agree.
  bool arrived_by(double clock_ms) const { return next_ms() <= clock_ms + kSameMomentMs; }
  /// REQUIRES: next_ms() is finite.
  ServingRequest take();
  /// A request's last token left the engine: in a closed loop its user sends the next request.
  void finished(double done_ms);
  /// Requests sent so far.
  int64_t sent() const { return sent_; }

  static constexpr double kNever = std::numeric_limits<double>::infinity();
  static constexpr double kSameMomentMs = 1e-6;

 private:
  struct Later {
    bool operator()(const ServingRequest& a, const ServingRequest& b) const {
      return a.arrive_ms != b.arrive_ms ? a.arrive_ms > b.arrive_ms : a.id > b.id;
    }
  };

  int64_t draw(const LengthRange& lengths);
  void send_drawn(double send_ms);
  void send(double send_ms, int64_t input_tokens, int64_t output_tokens);
  bool send_next_open();
  void look_ahead();

  Workload workload_;
  RequestPath path_;
  std::mt19937 lengths_;  // input, then output of each request, as the public benchmark clients draw them
  std::mt19937_64 intervals_;  // of Poisson arrivals
  double clock_ms_ = 0;        // send time of the last open-loop request
  double last_arrival_ms_ = -kNever;
  int64_t sent_ = 0, most_ = 0;
  std::optional<TracedRequest> peeked_;
  std::priority_queue<ServingRequest, std::vector<ServingRequest>, Later> under_way_;
};

}  // namespace perfatlas
