// SPDX-License-Identifier: Apache-2.0
// The event loop of disaggregated pools: prompts are computed by one pool of workers, the first token leaves with the
// end of that step, and the request joins the decode worker with the fewest requests at its next step boundary.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "perfatlas/base/error.h"
#include "perfatlas/serving/serving_record.h"

namespace perfatlas {
namespace {

constexpr int64_t kLongestJump = 128;  // steps that are priced like the first one of them

struct PrefillWorker {
  double done_ms = Arrivals::kNever;  // end of the step under way
  std::vector<ServingRequest> batch;
};

/// A run of decode steps under way; cut short at a step boundary when a request joins.
class DecodeWorker {
 public:
  DecodeWorker(const WorkerPool& pool) : prices_(pool.prices), ranks_(size_t(pool.attention_dp)) {}

  int64_t requests() const {
    int64_t total = int64_t(joining_.size());
    for (const DecodingSet& rank : ranks_) total += rank.size();
    return total;
  }
  int64_t decodes() const { return requests() - int64_t(joining_.size()); }
  double end_ms() const { return start_ms_ + duration_ms_; }
  bool idle() const { return steps_ == 0; }

  /// Queues a request; cuts the run under way at its first boundary at or after now.
  void join(const ServingRequest& request, double now_ms) {
    joining_.push_back(request);
    if (idle()) return;
    const auto passed = int64_t(std::ceil((now_ms - start_ms_) / decode_ms()));
    set_run(start_ms_, std::clamp<int64_t>(passed, 1, steps_));
  }

  /// The run under way as a timeline sees it.
  Segment segment() const {
    return {.start_ms = start_ms_, .duration_ms = duration_ms_, .steps = steps_, .decodes = decodes()};
  }

  /// Ends the run under way: everybody gets its tokens, `finish` is told who ended.
  template <class Finish>
  void end_run(Finish finish) {
    step_ += steps_;
    for (DecodingSet& rank : ranks_) {
      rank.advance(steps_);
      while (rank.next_end() <= step_) finish(rank.take_ended());
    }
    steps_ = 0;
  }

  /// Takes in who joined and starts the next run; stays idle without requests.
  void begin_run(double now_ms) {
    for (const ServingRequest& request : joining_) {
      const auto least = std::min_element(ranks_.begin(), ranks_.end(),
                                          [](const auto& a, const auto& b) { return a.size() < b.size(); });
      least->add(request, step_ + request.output_tokens - 1);
    }
    joining_.clear();
    int64_t steps = DecodingSet::kNever;
    for (const DecodingSet& rank : ranks_) steps = std::min(steps, rank.next_end());
    if (steps != DecodingSet::kNever) set_run(now_ms, std::min(steps - step_, kLongestJump));
  }

 private:
  void set_run(double start_ms, int64_t steps) {
    start_ms_ = start_ms;
    steps_ = steps;
    duration_ms_ = double(steps) * decode_ms();
  }

  double decode_ms() const {
    double longest_ms = 0;
    for (const DecodingSet& rank : ranks_)
      if (rank.size() > 0)
        longest_ms = std::max(longest_ms, prices_->decode.at(double(rank.size()), rank.mean_kv()));
    return longest_ms;
  }

  const PriceTables* prices_;
  std::vector<DecodingSet> ranks_;
  std::vector<ServingRequest> joining_;
  int64_t step_ = 0;   // decode steps so far
  int64_t steps_ = 0;  // of the run under way
  double start_ms_ = 0, duration_ms_ = 0;
};

class DisaggregatedRun {
 public:
  DisaggregatedRun(const DisaggregatedCase& served, const SimulationLimits& limits,
                   SimulationObserver* observer)
      : served_(served),
        arrivals_(served.workload, served.path),
        prefill_(size_t(served.prefill.workers)),
        decode_(size_t(served.decode.workers), DecodeWorker(served.decode)),
        record_(served.workload, served.path, limits, observer) {}

  SimulationResult run() && {
    for (;;) {
      const double next_ms = next_event_ms();
      if (next_ms == Arrivals::kNever) break;
      if (!record_.may_go_on(next_ms, int64_t(queue_.size()))) break;
      clock_ms_ = next_ms;
      for (DecodeWorker& worker : decode_)
        if (!worker.idle() && worker.end_ms() <= clock_ms_) end_decodes(worker);
      for (PrefillWorker& worker : prefill_)
        if (worker.done_ms <= clock_ms_) end_prompts(worker);
      begin_prompts();
      while (arrivals_.arrived_by(clock_ms_)) {
        queue_.push_back(arrivals_.take());
        record_.arrived(queue_.back());
        begin_prompts();  // an idle worker starts with the first request it sees
      }
      for (DecodeWorker& worker : decode_)
        if (worker.idle()) worker.begin_run(clock_ms_);
    }
    const double workers = double(served_.prefill.workers + served_.decode.workers);
    return std::move(record_).result(workers, arrivals_.sent());
  }

 private:
  double next_event_ms() const {
    double next_ms = arrivals_.next_ms();
    for (const PrefillWorker& worker : prefill_) next_ms = std::min(next_ms, worker.done_ms);
    for (const DecodeWorker& worker : decode_)
      if (!worker.idle()) next_ms = std::min(next_ms, worker.end_ms());
    return next_ms;
  }

  void end_decodes(DecodeWorker& worker) {
    Segment segment = worker.segment();
    segment.waiting = int64_t(queue_.size());
    segment.worker = int32_t(prefill_.size()) + int32_t(&worker - decode_.data());
    record_.ran(segment, segment.decodes);
    worker.end_run([this](const ServingRequest& request) {
      record_.finished(request, clock_ms_);
      arrivals_.finished(clock_ms_);
    });
  }

  void end_prompts(PrefillWorker& worker) {
    for (ServingRequest request : worker.batch) {
      request.first_ms = clock_ms_;
      if (request.output_tokens == 1) {
        record_.finished(request, clock_ms_);
        arrivals_.finished(clock_ms_);
        continue;
      }
      const auto least = std::min_element(decode_.begin(), decode_.end(), [](const auto& a, const auto& b) {
        return a.requests() < b.requests();
      });
      least->join(request, clock_ms_);
    }
    worker.batch.clear();
    worker.done_ms = Arrivals::kNever;
  }

  void begin_prompts() {
    for (PrefillWorker& worker : prefill_)
      if (worker.done_ms == Arrivals::kNever && !queue_.empty()) begin_prompts(worker);
  }

  /// Each rank takes prompts up to the budget, at least one; the step lasts as long as the slowest rank's.
  void begin_prompts(PrefillWorker& worker) {
    double longest_ms = 0;
    Segment segment{.start_ms = clock_ms_, .worker = int32_t(&worker - prefill_.data())};
    for (int64_t rank = 0; rank < served_.prefill.attention_dp && !queue_.empty(); ++rank) {
      StepBatch shape;
      while (!queue_.empty() && (shape.whole_prompts == 0 || shape.new_tokens + queue_.front().input_tokens <=
                                                                 served_.prefill_budget_tokens)) {
        ++shape.whole_prompts;
        shape.new_tokens += queue_.front().input_tokens;
        worker.batch.push_back(queue_.front());
        queue_.pop_front();
      }
      shape.whole_tokens = shape.new_tokens;
      segment.prompt_tokens += shape.new_tokens;
      longest_ms = std::max(longest_ms, prompts_ms(shape));
    }
    segment.duration_ms = longest_ms;
    segment.waiting = int64_t(queue_.size());
    worker.done_ms = clock_ms_ + longest_ms;
    record_.ran(segment, int64_t(worker.batch.size()));
  }

  /// A prompt longer than the budget is computed in equal passes.
  double prompts_ms(const StepBatch& shape) const {
    const int64_t budget = served_.prefill_budget_tokens;
    if (shape.new_tokens <= budget) return step_ms(*served_.prefill.prices, shape);
    const int64_t passes = (shape.new_tokens + budget - 1) / budget;
    double total_ms = 0;
    for (int64_t pass = 0; pass < passes; ++pass) {
      const Chunk chunk{shape.new_tokens / passes, pass * (shape.new_tokens / passes)};
      total_ms += step_ms(*served_.prefill.prices, {.new_tokens = chunk.new_tokens, .chunks = {&chunk, 1}});
    }
    return total_ms;
  }

  const DisaggregatedCase& served_;
  Arrivals arrivals_;
  std::deque<ServingRequest> queue_;  // for all prefill workers
  std::vector<PrefillWorker> prefill_;
  std::vector<DecodeWorker> decode_;
  ServingRecord record_;
  double clock_ms_ = 0;
};

void check_pool(const WorkerPool& pool, std::string_view name) {
  if (pool.workers < 1)
    throw UsageError(fmt::format("a disaggregated case needs the number of {} workers; {} were given", name,
                                 pool.workers));
  if (pool.attention_dp < 1)
    throw UsageError(
        fmt::format("attention_dp of the {} workers is {}; give at least one", name, pool.attention_dp));
  if (pool.workers > kMostAtOnce || pool.attention_dp > kMostAtOnce / pool.workers)
    throw UsageError(fmt::format("{} {} workers with attention_dp {} are too many; give at most {} ranks",
                                 pool.workers, name, pool.attention_dp, kMostAtOnce));
}

}  // namespace

SimulationResult simulate(const DisaggregatedCase& served, const SimulationLimits& limits,
                          SimulationObserver* observer) {
  check_workload(served.workload);
  check_pool(served.prefill, "prefill");
  check_pool(served.decode, "decode");
  return DisaggregatedRun(served, limits, observer).run();
}

}  // namespace perfatlas
