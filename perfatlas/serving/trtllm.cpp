// SPDX-License-Identifier: Apache-2.0
// TensorRT-LLM, PyTorch back end: decodes and prompts together; a prompt is not cut but waits until it fits into the
// budget. With batch_wait_iters, new prompts are held back to be batched while there are decodes to run.
#include <algorithm>

#include "perfatlas/serving/scheduler.h"

namespace perfatlas {
namespace {

constexpr double kFullBatchShare = 0.9;  // of the budget: a queue of that many tokens is not held any longer

class TrtllmScheduler final : public Scheduler {
 public:
  using Scheduler::Scheduler;

  void begin_step(std::span<const EngineRank> ranks) override {
    holding_ = holds(ranks);
    if (!holding_) held_steps_ = 0;
    left_waiting_ = false;
  }

  void plan(EngineRank& rank, RankStep& step) override {
    take_prompts(rank, step);
    left_waiting_ |= !rank.waiting.empty();
  }

  /// Prompts that wait for another reason than the hold start a new hold with the next step.
  int64_t decode_run(int64_t steps_to_arrival) const override {
    if (holding_) return std::min(steps_to_arrival, launch().batch_wait_iters - held_steps_);
    return launch().batch_wait_iters > 0 && left_waiting_ ? 1 : steps_to_arrival;
  }
  void after_decodes(int64_t steps) override {
    if (holding_) held_steps_ += steps;
  }
  /// A step that left prompts waiting is the first one that holds them.
  void after_prompts() override {
    if (left_waiting_) ++held_steps_;
  }

 private:
  void take_prompts(EngineRank& rank, RankStep& step) const {
    int64_t budget = launch().token_budget - rank.decoding.size();
    if (!rank.partial.empty()) {
      plan_oversized(rank, step, budget);
      return;
    }
    if (holding_) return;
    while (!rank.waiting.empty()) {
      const int64_t tokens = rank.waiting.front().input_tokens;
      const bool oversized = tokens >= launch().token_budget;
      if (oversized ? step.shape.new_tokens > 0 || budget <= 0 : tokens > budget) return;
      if (!admits(rank)) return;
      const ServingRequest request = admit(rank);
      if (oversized) {
        rank.partial.push_back(request);
        plan_oversized(rank, step, budget);
        return;
      }
      budget -= tokens;
      step.add(request, tokens, rank.partial);
    }
  }

  /// A prompt that no budget can hold takes whole steps, alone among prompts.
  static void plan_oversized(EngineRank& rank, RankStep& step, int64_t budget) {
    if (budget <= 0) return;
    const ServingRequest request = rank.partial.back();
    rank.partial.pop_back();
    step.add(request, std::min(request.input_tokens - request.prefilled, budget), rank.partial);
  }

  bool holds(std::span<const EngineRank> ranks) const {
    if (launch().batch_wait_iters == 0 || held_steps_ >= launch().batch_wait_iters) return false;
    bool decodes = false, all_wait = true, any_waits = false, full = false;
    for (const EngineRank& rank : ranks) {
      decodes |= rank.decoding.size() > 0;
      all_wait &= !rank.waiting.empty();
      any_waits |= !rank.waiting.empty();
      full |= double(rank.waiting_tokens) >= kFullBatchShare * double(launch().token_budget);
    }
    return decodes && any_waits && !full && !(ranks.size() > 1 && all_wait);
  }

  bool holding_ = false;
  bool left_waiting_ = false;  // after the step that is being planned
  int64_t held_steps_ = 0;     // since the first prompt was held
};

}  // namespace

std::unique_ptr<Scheduler> make_trtllm_scheduler(EngineSetup setup) {
  return std::make_unique<TrtllmScheduler>(std::move(setup));
}

}  // namespace perfatlas
