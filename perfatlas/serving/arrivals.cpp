// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/serving/arrivals.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "perfatlas/base/error.h"

namespace perfatlas {

Arrivals::Arrivals(const Workload& workload, RequestPath path)
    : workload_(workload), path_(path), lengths_(workload.seed), intervals_(workload.seed) {
  if (const auto* loop = std::get_if<ClosedLoop>(&workload_.arrivals)) {
    most_ = request_count(*loop);
    for (int64_t user = 0; user < std::min(loop->users, most_); ++user) send_drawn(0);
  } else {
    look_ahead();
  }
}

ServingRequest Arrivals::take() {
  ServingRequest request = under_way_.top();
  under_way_.pop();
  if (!workload_.is_closed_loop()) look_ahead();
  return request;
}

void Arrivals::finished(double done_ms) {
  if (workload_.is_closed_loop() && sent_ < most_) send_drawn(done_ms + path_.back_ms);
}

/// An integer in the range from one raw draw, so that every standard library gives the same lengths.
int64_t Arrivals::draw(const LengthRange& lengths) {
  const int64_t shortest = lengths.shortest();
  return shortest + int64_t(lengths_() % uint64_t(lengths.longest - shortest + 1));
}

void Arrivals::send_drawn(double send_ms) {
  const int64_t input = draw(workload_.input);
  send(send_ms, input, draw(workload_.output));
}

void Arrivals::send(double send_ms, int64_t input_tokens, int64_t output_tokens) {
  ServingRequest request;
  request.id = sent_++;
  request.send_ms = send_ms;
  request.arrive_ms = send_ms + path_.front(input_tokens);
  if (path_.front_apart_ms > 0)
    request.arrive_ms = std::max(request.arrive_ms, last_arrival_ms_ + path_.front_apart_ms);
  last_arrival_ms_ = request.arrive_ms;
  request.input_tokens = input_tokens;
  request.output_tokens = output_tokens;
  under_way_.push(request);
}

/// Sends the next request of an open loop. False at the end.
bool Arrivals::send_next_open() {
  if (const auto* poisson = std::get_if<PoissonArrivals>(&workload_.arrivals)) {
    if (sent_ >= poisson->requests) return false;
    const double uniform = (double(intervals_() >> 11) + 0.5) * 0x1p-53;  // in (0, 1)
    clock_ms_ -= std::log(uniform) * 1000 / poisson->requests_per_s;
    send_drawn(clock_ms_);
    return true;
  }
  if (!peeked_) return false;
  clock_ms_ = peeked_->send_ms;
  send(clock_ms_, peeked_->input_tokens, peeked_->output_tokens);
  peeked_ = std::get<std::shared_ptr<TraceSource>>(workload_.arrivals)->next();
  return true;
}

/// Sends ahead until no later request can overtake the first one under way: a long prompt takes longer to arrive.
void Arrivals::look_ahead() {
  if (const auto* trace = std::get_if<std::shared_ptr<TraceSource>>(&workload_.arrivals))
    if (sent_ == 0 && !peeked_) peeked_ = (*trace)->next();
  while (under_way_.empty() || clock_ms_ + path_.front_ms < under_way_.top().arrive_ms)
    if (!send_next_open()) return;
}

}  // namespace perfatlas
