// SPDX-License-Identifier: Apache-2.0
// The event loop of one engine. Runs of decode steps are jumped over in one iteration, priced in their middle. For
// prices linear in the KV length that is exact, but for two limits: a run up to the next arrival counts its steps at
// the price of the first one, and can be one step too long where steps grow; and the rank that is slowest in the
// middle sets the pace of the whole run.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "perfatlas/base/error.h"
#include "perfatlas/serving/constants.h"
#include "perfatlas/serving/serving_record.h"

namespace perfatlas {
namespace {

constexpr int64_t kLongestJump = 256;  // steps; decode prices bend at the grid's KV lengths

class AggregatedRun {
 public:
  AggregatedRun(const AggregatedCase& served, const SimulationLimits& limits, SimulationObserver* observer)
      : overhead_ms_(served.step_overhead_ms),
        kv_capacity_tokens_(served.setup.kv_capacity_tokens),
        scheduler_(make_scheduler(served.setup)),
        arrivals_(served.workload, served.path),
        ranks_(size_t(served.attention_dp)),
        steps_(size_t(served.attention_dp)),
        record_(served.workload, served.path, limits, observer) {}

  SimulationResult run() && {
    while (in_engine_ > 0 || arrivals_.next_ms() < Arrivals::kNever) {
      if (!record_.may_go_on(clock_ms_, waiting())) break;
      look_for_arrivals();
      scheduler_->begin_step(ranks_);
      const int64_t refusals = kv_refusals();
      bool prompts = false;
      for (size_t i = 0; i < ranks_.size(); ++i) {
        steps_[i].clear();
        scheduler_->plan(ranks_[i], steps_[i]);
        prompts |= steps_[i].shape.new_tokens > 0;
      }
      const int64_t first_step = record_.steps();
      if (prompts)
        run_prompts();
      else
        run_decodes();
      if (kv_refusals() > refusals) record_.kv_blocked(record_.steps() - first_step);
    }
    return std::move(record_).result(1, arrivals_.sent());
  }

 private:
  int64_t waiting() const {
    int64_t total = 0;
    for (const EngineRank& rank : ranks_) total += int64_t(rank.waiting.size());
    return total;
  }

  int64_t kv_refusals() const {
    int64_t total = 0;
    for (const EngineRank& rank : ranks_) total += rank.kv_refusals;
    return total;
  }

  int64_t decodes() const {
    int64_t total = 0;
    for (const EngineRank& rank : ranks_) total += rank.decoding.size();
    return total;
  }

  void look_for_arrivals() {
    if (in_engine_ == 0)
      clock_ms_ = std::max(clock_ms_, arrivals_.next_ms());
    else if (!scheduler_->looks_for_arrivals())
      return;
    while (arrivals_.arrived_by(clock_ms_)) give_to_rank(arrivals_.take());
    scheduler_->looked();
  }

  /// The rank with the fewest requests, ties round robin.
  void give_to_rank(ServingRequest request) {
    if (double(request.input_tokens + request.output_tokens) > kv_capacity_tokens_)
      throw UsageError(
          fmt::format("request {} has {} input and {} output tokens, but the KV cache holds {:.0f}; shorten "
                      "it or spread the model over more devices",
                      request.id, request.input_tokens, request.output_tokens, kv_capacity_tokens_));
    size_t best = next_rank_ % ranks_.size();
    for (size_t i = 1; i < ranks_.size(); ++i) {
      const size_t other = (next_rank_ + i) % ranks_.size();
      if (ranks_[other].requests() < ranks_[best].requests()) best = other;
    }
    next_rank_ = best + 1;
    request.rank = int32_t(best);
    record_.arrived(request);
    ranks_[best].enqueue(request);
    ++in_engine_;
  }

  void run_prompts() {
    const bool pause = scheduler_->prompts_pause_decodes();
    double longest_ms = 0;
    Segment segment{.start_ms = clock_ms_, .decodes = pause ? 0 : decodes(), .waiting = waiting()};
    for (size_t i = 0; i < ranks_.size(); ++i) {
      RankStep& step = steps_[i];
      segment.prompt_tokens += step.shape.new_tokens;
      step.shape.chunks = step.chunks;
      if (!pause) {
        step.shape.decodes = ranks_[i].decoding.size();
        step.shape.mean_kv_tokens = ranks_[i].decoding.mean_kv();
      }
      longest_ms = std::max(longest_ms, scheduler_->step_ms(ranks_[i], step));
    }
    segment.duration_ms = longest_ms + overhead_ms_;
    record_.ran(segment, in_engine_ - segment.waiting);
    clock_ms_ += segment.duration_ms;
    if (!pause) {
      for (EngineRank& rank : ranks_) rank.decoding.advance(1);
      ++decode_step_;
      finish_ended();
    }
    for (size_t i = 0; i < ranks_.size(); ++i) complete_prompts(ranks_[i], steps_[i]);
    scheduler_->after_prompts();
  }

  /// The step that computes the last prompt token yields the first output token.
  void complete_prompts(EngineRank& rank, const RankStep& step) {
    for (ServingRequest request : step.completed) {
      request.first_ms = clock_ms_;
      if (request.output_tokens == 1)
        finish(rank, request);
      else
        rank.decoding.add(request, decode_step_ + request.output_tokens - 1);
    }
  }

  void run_decodes() {
    int64_t steps = DecodingSet::kNever;
    for (const EngineRank& rank : ranks_) steps = std::min(steps, rank.decoding.next_end());
    PERFATLAS_ASSERT(steps != DecodingSet::kNever);
    steps -= decode_step_;
    int64_t to_arrival = DecodingSet::kNever;
    if (arrivals_.next_ms() < Arrivals::kNever) {
      const double gap_ms = arrivals_.next_ms() - Arrivals::kSameMomentMs - clock_ms_;
      to_arrival = int64_t(std::ceil(gap_ms / (decode_ms(0) + overhead_ms_)));
    }
    steps = std::max<int64_t>(1, std::min({steps, scheduler_->decode_run(to_arrival), kLongestJump}));
    const Segment segment{.start_ms = clock_ms_,
                          .duration_ms = double(steps) * (decode_ms(double(steps - 1) / 2) + overhead_ms_),
                          .steps = steps,
                          .decodes = decodes(),
                          .waiting = waiting()};
    record_.ran(segment, in_engine_ - segment.waiting);
    clock_ms_ += segment.duration_ms;
    decode_step_ += steps;
    for (EngineRank& rank : ranks_) rank.decoding.advance(steps);
    scheduler_->after_decodes(steps);
    finish_ended();
  }

  double decode_ms(double ahead) const {
    double longest_ms = 0;
    for (const EngineRank& rank : ranks_)
      longest_ms = std::max(longest_ms, scheduler_->decode_ms(rank, ahead));
    return longest_ms;
  }

  void finish_ended() {
    for (EngineRank& rank : ranks_)
      while (rank.decoding.next_end() <= decode_step_) finish(rank, rank.decoding.take_ended());
  }

  void finish(EngineRank& rank, const ServingRequest& request) {
    rank.kv_reserved -= scheduler_->kv_reservation(request);
    --rank.running;
    --in_engine_;
    scheduler_->finished(request);
    record_.finished(request, clock_ms_);
    arrivals_.finished(clock_ms_);
  }

  double overhead_ms_;
  double kv_capacity_tokens_;
  std::unique_ptr<Scheduler> scheduler_;
  Arrivals arrivals_;
  std::vector<EngineRank> ranks_;
  std::vector<RankStep> steps_;  // of the current iteration, one per rank
  ServingRecord record_;
  double clock_ms_ = 0;
  int64_t decode_step_ = 0;
  int64_t in_engine_ = 0;
  size_t next_rank_ = 0;
};

}  // namespace

SimulationResult simulate(const AggregatedCase& served, const SimulationLimits& limits,
                          SimulationObserver* observer) {
  check_workload(served.workload);
  if (served.attention_dp < 1)
    throw UsageError(fmt::format("attention_dp is {}; give at least one rank", served.attention_dp));
  if (served.attention_dp > kMostAtOnce)
    throw UsageError(
        fmt::format("attention_dp is {}; give at most {} ranks", served.attention_dp, kMostAtOnce));
  SimulationResult result = AggregatedRun(served, limits, observer).run();
  const Launch& launch = served.setup.launch;
  result.stream_wait_ms =
      kStreamIntervalShare.value * double(launch.stream_interval - 1) * result.tpot_ms.mean;
  result.ttft_ms = result.ttft_ms.shifted(result.stream_wait_ms);
  result.steady_ttft_ms += result.stream_wait_ms;
  return result;
}

}  // namespace perfatlas
