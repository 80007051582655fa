// SPDX-License-Identifier: Apache-2.0
// A second simulator that knows no jumps: one engine step at a time, every sequence a value of its own. Written from
// the scheduling rules, sharing with the first one only prices, arrivals and the request type.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "perfatlas/serving/arrivals.h"
#include "perfatlas/serving/serving_cases_test.h"

namespace perfatlas {
namespace {

struct Times {
  double first_ms, done_ms;
};

struct Sequence {
  ServingRequest request;
  int64_t produced = 0;  // output tokens
};

struct SlowRank {
  std::vector<ServingRequest> waiting, partial;
  std::vector<Sequence> decoding;
  size_t load() const { return waiting.size() + partial.size() + decoding.size(); }
  double reserved(double share) const {
    double total = 0;
    for (const ServingRequest& r : partial) total += double(r.input_tokens) + share * double(r.output_tokens);
    for (const Sequence& s : decoding)
      total += double(s.request.input_tokens) + share * double(s.request.output_tokens);
    return total;
  }
};

struct Work {
  StepBatch batch;
  std::vector<Chunk> chunks;
  std::vector<ServingRequest> completed;
};

class SlowSimulator {
 public:
  explicit SlowSimulator(const AggregatedCase& served)
      : c_(served),
        launch_(served.setup.launch),
        arrivals_(served.workload, served.path),
        ranks_(size_t(served.attention_dp)) {}

  std::map<int64_t, Times> run() {
    while (std::any_of(ranks_.begin(), ranks_.end(), [](auto& r) { return r.load() > 0; }) ||
           arrivals_.next_ms() < Arrivals::kNever)
      step();
    return times_;
  }

 private:
  void look() {
    const bool idle = std::all_of(ranks_.begin(), ranks_.end(), [](auto& r) { return r.load() == 0; });
    if (idle) clock_ = std::max(clock_, arrivals_.next_ms());
    if (!idle && launch_.engine == ServingEngine::sglang && !look_due_) return;
    look_due_ = false;
    decode_steps_ = 0;
    while (arrivals_.arrived_by(clock_)) {
      std::vector<size_t> order;
      for (size_t i = 0; i < ranks_.size(); ++i) order.push_back((next_ + i) % ranks_.size());
      const size_t best = *std::min_element(order.begin(), order.end(), [&](size_t a, size_t b) {
        return ranks_[a].load() < ranks_[b].load();
      });
      next_ = best + 1;
      ranks_[best].waiting.push_back(arrivals_.take());
    }
  }

  bool hold() {
    if (launch_.batch_wait_iters == 0) return false;
    bool decodes = false, any = false, all = true, full = false;
    for (const SlowRank& rank : ranks_) {
      int64_t queued = 0;
      for (const ServingRequest& r : rank.waiting) queued += r.input_tokens;
      decodes |= !rank.decoding.empty();
      any |= !rank.waiting.empty();
      all &= !rank.waiting.empty();
      full |= double(queued) >= 0.9 * double(launch_.token_budget);
    }
    const bool holds =
        decodes && any && !full && held_ < launch_.batch_wait_iters && !(ranks_.size() > 1 && all);
    if (!holds) held_ = 0;
    return holds;
  }

  bool admits(const SlowRank& rank, const Work& work) const {
    const double share = launch_.reserved_output_share();
    const size_t running = rank.partial.size() + rank.decoding.size() + work.completed.size();
    if (int64_t(running) >= launch_.max_running) return false;
    double reserved = rank.reserved(share);
    for (const ServingRequest& r : work.completed)
      reserved += double(r.input_tokens) + share * double(r.output_tokens);
    const ServingRequest& first = rank.waiting.front();
    return running == 0 || reserved + double(first.input_tokens) + share * double(first.output_tokens) <=
                               c_.setup.kv_capacity_tokens;
  }

  void put(SlowRank& rank, Work& work, ServingRequest request, int64_t tokens) {
    work.batch.new_tokens += tokens;
    if (tokens == request.input_tokens) {
      work.batch.whole_prompts += 1;
      work.batch.whole_tokens += tokens;
    } else {
      work.chunks.push_back({tokens, request.prefilled});
    }
    request.prefilled += tokens;
    (request.prefilled == request.input_tokens ? work.completed : rank.partial).push_back(request);
  }

  Work choose(SlowRank& rank, bool holding) {
    Work work;
    const bool trtllm = launch_.engine == ServingEngine::trtllm;
    int64_t budget =
        launch_.token_budget - (launch_.engine == ServingEngine::sglang ? 0 : int64_t(rank.decoding.size()));
    if (!rank.partial.empty() && budget > 0) {
      const ServingRequest request = rank.partial.front();
      rank.partial.erase(rank.partial.begin());
      const int64_t tokens = std::min(budget, request.input_tokens - request.prefilled);
      put(rank, work, request, tokens);
      budget -= tokens;
      if (trtllm) return work;
    }
    while (!holding && budget > 0 && !rank.waiting.empty()) {
      const int64_t input = rank.waiting.front().input_tokens;
      const bool oversized = trtllm && input >= launch_.token_budget;
      if (trtllm && !oversized && input > budget) break;
      if (oversized && work.batch.new_tokens > 0) break;
      if (!admits(rank, work)) break;
      const ServingRequest request = rank.waiting.front();
      rank.waiting.erase(rank.waiting.begin());
      const int64_t tokens = std::min(input, budget);
      put(rank, work, request, tokens);
      budget -= tokens;
      if (oversized) break;
    }
    return work;
  }

  double price(const SlowRank& rank, Work& work, bool with_decodes) const {
    work.batch.chunks = work.chunks;
    if (with_decodes && !rank.decoding.empty()) {
      double kv = 0;
      for (const Sequence& s : rank.decoding) kv += double(s.request.input_tokens + s.produced);
      work.batch.decodes = int64_t(rank.decoding.size());
      work.batch.mean_kv_tokens = kv / double(rank.decoding.size());
    }
    return step_ms(*c_.setup.prices, work.batch);
  }

  void step() {
    look();
    const bool holding = hold();
    std::vector<Work> work;
    bool prompts = false, waits = false;
    for (SlowRank& rank : ranks_) {
      work.push_back(choose(rank, holding));
      prompts |= work.back().batch.new_tokens > 0;
      waits |= !rank.waiting.empty();
    }
    const bool decodes = !prompts || launch_.engine != ServingEngine::sglang;
    double longest = 0;
    for (size_t i = 0; i < ranks_.size(); ++i)
      longest = std::max(longest, price(ranks_[i], work[i], decodes));
    clock_ += longest + c_.step_overhead_ms;
    if (prompts ? launch_.engine == ServingEngine::trtllm && waits : holding) ++held_;
    if (prompts)
      look_due_ = true;
    else if (++decode_steps_ % launch_.recv_interval == 0)
      look_due_ = true;
    if (decodes)
      for (SlowRank& rank : ranks_) decode(rank);
    for (size_t i = 0; i < ranks_.size(); ++i)
      for (ServingRequest request : work[i].completed) {
        request.first_ms = clock_;
        if (request.output_tokens == 1)
          end(request);
        else
          ranks_[i].decoding.push_back({request, 1});
      }
  }

  void decode(SlowRank& rank) {
    std::vector<Sequence> left;
    for (Sequence s : rank.decoding) {
      if (++s.produced == s.request.output_tokens)
        end(s.request);
      else
        left.push_back(s);
    }
    rank.decoding = left;
  }

  void end(const ServingRequest& request) {
    times_[request.id] = {request.first_ms, clock_};
    arrivals_.finished(clock_);
  }

  const AggregatedCase& c_;
  const Launch& launch_;
  Arrivals arrivals_;
  std::vector<SlowRank> ranks_;
  std::map<int64_t, Times> times_;
  double clock_ = 0;
  bool look_due_ = true;
  int64_t decode_steps_ = 0, held_ = 0;
  size_t next_ = 0;
};

class AllTimes : public SimulationObserver {
 public:
  void finished(const ServingRequest& request, double done_ms) override {
    times[request.id] = {request.first_ms, done_ms};
  }
  std::map<int64_t, Times> times;
};

void expect_equal_times(const AggregatedCase& served) {
  AllTimes fast;
  simulate(served, {}, &fast);
  const std::map<int64_t, Times> slow = SlowSimulator(served).run();
  RC_ASSERT(fast.times.size() == slow.size());
  for (const auto& [id, times] : slow) {
    RC_LOG() << "request " << id << "\n";
    RC_ASSERT(std::abs(fast.times[id].first_ms - times.first_ms) < 1e-6 * (1 + times.first_ms));
    RC_ASSERT(std::abs(fast.times[id].done_ms - times.done_ms) < 1e-6 * (1 + times.done_ms));
  }
}

/// Requests come and go while others decode, on several ranks. With steps that all last alike, no jump is inexact.
void compare(ServingEngine engine) {
  const PriceTables prices = linear_prices(0);
  expect_equal_times(random_case(prices, engine));
}

/// Steps grow with the KV cache. Everybody comes at once, so no jump has to guess which step meets an arrival.
void compare_growing_steps(ServingEngine engine) {
  const PriceTables prices = linear_prices();
  AggregatedCase served = random_case(prices, engine);
  const int64_t requests = *rc::gen::inRange<int64_t>(1, 60);
  served.attention_dp = 1;
  served.path.front_ms_per_token = 0;
  served.workload.arrivals = ClosedLoop{.users = requests, .requests = requests};
  expect_equal_times(served);
}

RC_GTEST_PROP(SlowSimulator, AgreesOnVllm, ()) { compare(ServingEngine::vllm); }
RC_GTEST_PROP(SlowSimulator, AgreesOnGrowingStepsOfVllm, ()) { compare_growing_steps(ServingEngine::vllm); }
RC_GTEST_PROP(SlowSimulator, AgreesOnSglang, ()) { compare(ServingEngine::sglang); }
RC_GTEST_PROP(SlowSimulator, AgreesOnGrowingStepsOfSglang, ()) {
  compare_growing_steps(ServingEngine::sglang);
}
RC_GTEST_PROP(SlowSimulator, AgreesOnTrtllm, ()) { compare(ServingEngine::trtllm); }
RC_GTEST_PROP(SlowSimulator, AgreesOnGrowingStepsOfTrtllm, ()) {
  compare_growing_steps(ServingEngine::trtllm);
}

}  // namespace
}  // namespace perfatlas
