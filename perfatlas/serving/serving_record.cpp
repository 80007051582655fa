// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/serving/serving_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace perfatlas {
namespace {

constexpr int64_t kIterationsPerClockLook = 1 << 14;
constexpr double kKvBoundShare = 0.01;       // of the steps, with prompts kept out by the KV capacity
constexpr double kLeastDeficitShare = 0.02;  // of the offered rate; below it a growing queue is chance
constexpr double kGrowthDeviations = 3;      // standard deviations of a Poisson count

}  // namespace

ServingRecord::ServingRecord(const Workload& workload, RequestPath path, SimulationLimits limits,
                             SimulationObserver* observer)
    : path_(path),
      limits_(limits),
      observer_(observer),
      closed_loop_(workload.is_closed_loop()),
      started_(std::chrono::steady_clock::now()) {
  if (const auto* loop = std::get_if<ClosedLoop>(&workload.arrivals)) {
    steady_first_ = loop->users;
    steady_last_ = request_count(*loop) - loop->users / 2;
  }
}

void ServingRecord::arrived(const ServingRequest& request) {
  last_arrival_ms_ = request.arrive_ms;
  if (!closed_loop_) result_.load.add_arrival(request.arrive_ms);
}

void ServingRecord::ran(const Segment& segment, int64_t running) {
  result_.engine_steps += segment.steps;
  if (segment.prompt_tokens > 0) ++result_.prompt_steps;
  busy_ms_ += segment.duration_ms;
  waiting_ms_ += segment.duration_ms * double(segment.waiting);
  running_ms_ += segment.duration_ms * double(running);
  result_.most_waiting = std::max(result_.most_waiting, segment.waiting);
  result_.load.add_load(segment.start_ms, segment.duration_ms, double(segment.waiting), double(running));
  if (observer_) observer_->ran(segment);
}

void ServingRecord::finished(const ServingRequest& request, double done_ms) {
  const double ttft_ms = request.first_ms - request.send_ms + path_.back_ms;
  ttft_.add(ttft_ms);
  latency_.add(done_ms - request.send_ms + path_.back_ms);
  if (request.output_tokens > 1) tpot_.add((done_ms - request.first_ms) / double(request.output_tokens - 1));
  if (request.id >= steady_first_ && request.id < steady_last_) {
    steady_sum_ += ttft_ms;
    ++steady_count_;
  }
  ++result_.requests;
  result_.input_tokens += double(request.input_tokens);
  result_.output_tokens += double(request.output_tokens);
  result_.duration_ms = std::max(result_.duration_ms, done_ms);
  if (observer_) observer_->finished(request, done_ms);
}

bool ServingRecord::may_go_on(double clock_ms, int64_t waiting) {
  if (++result_.iterations > limits_.most_iterations)
    result_.stopped_early = fmt::format("stopped after {} events", limits_.most_iterations);
  else if (clock_ms > limits_.most_simulated_ms)
    result_.stopped_early =
        fmt::format("stopped after {:.0f} s of simulated time", limits_.most_simulated_ms / 1000);
  else if (waiting > limits_.most_waiting)
    result_.stopped_early = fmt::format("stopped with more than {} requests waiting", limits_.most_waiting);
  else if (result_.iterations % kIterationsPerClockLook == 0 &&
           std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count() >
               limits_.most_wall_s)
    result_.stopped_early = fmt::format("stopped after {:.3g} s of computing", limits_.most_wall_s);
  return result_.stopped_early.empty();
}

/// The queue at the end of the arrivals against the queue half-way: what came and could not be served in between.
std::optional<Saturation> ServingRecord::saturation() const {
  const auto& intervals = result_.load.intervals();
  const double width_ms = result_.load.width_ms();
  const auto last = std::min(size_t(last_arrival_ms_ / width_ms), intervals.size());
  const size_t middle = last / 2;
  if (closed_loop_ || middle == last || middle == 0) return std::nullopt;
  double arrivals = 0;
  for (size_t i = middle; i < last; ++i) arrivals += double(intervals[i].arrivals);
  const double growth = (intervals[last - 1].waiting_ms - intervals[middle - 1].waiting_ms) / width_ms;
  const double seconds = double(last - middle) * width_ms / 1000;
  const double deficit = growth / seconds, offered = arrivals / seconds;
  if (!(growth > 0) || growth < kGrowthDeviations * std::sqrt(arrivals) ||
      deficit < kLeastDeficitShare * offered)
    return std::nullopt;
  return Saturation{offered, offered - deficit};
}

SimulationResult ServingRecord::result(double workers, int64_t sent) && {
  result_.unfinished = sent - result_.requests;
  result_.ttft_ms = ttft_.summary();
  result_.tpot_ms = tpot_.summary();
  result_.latency_ms = latency_.summary();
  result_.steady_ttft_ms =
      closed_loop_ && steady_count_ > 0 ? steady_sum_ / double(steady_count_) : result_.ttft_ms.mean;
  if (result_.duration_ms > 0) {
    result_.busy_share = busy_ms_ / result_.duration_ms / workers;
    result_.mean_waiting = waiting_ms_ / result_.duration_ms;
    result_.mean_running = running_ms_ / result_.duration_ms;
  }
  result_.kv_bound = double(result_.kv_refusals) > kKvBoundShare * double(result_.engine_steps);
  result_.saturation = saturation();
  return std::move(result_);
}

}  // namespace perfatlas
