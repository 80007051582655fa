// SPDX-License-Identifier: Apache-2.0
// SGLang: while a prompt can run, steps compute prompts only (in chunks of the whole budget) and decodes pause. New
// requests are seen every recv_interval decode steps, after every prompt step, and when idle.
#include "perfatlas/serving/scheduler.h"

namespace perfatlas {
namespace {

class SglangScheduler final : public Scheduler {
 public:
  explicit SglangScheduler(EngineSetup setup) : Scheduler(std::move(setup)), steps_(launch().recv_interval) {}

  bool looks_for_arrivals() const override {
    return steps_ >= launch().recv_interval && steps_ % launch().recv_interval == 0;
  }
  void looked() override { steps_ = 0; }
  void plan(EngineRank& rank, RankStep& step) override { plan_chunked(rank, step, launch().token_budget); }
  bool prompts_pause_decodes() const override { return true; }

  /// Up to the first look at or after the arrival.
  int64_t decode_run(int64_t steps_to_arrival) const override {
    if (steps_to_arrival == DecodingSet::kNever) return steps_to_arrival;
    const int64_t interval = launch().recv_interval;
    const int64_t to_look = interval - steps_ % interval;
    if (steps_to_arrival <= to_look) return to_look;
    return to_look + (steps_to_arrival - to_look + interval - 1) / interval * interval;
  }
  void after_decodes(int64_t steps) override { steps_ += steps; }
  void after_prompts() override { steps_ = launch().recv_interval; }

 private:
  int64_t
      steps_;  // decode steps since the last look; looks without arrivals are skipped over, hence the remainder
};

}  // namespace

std::unique_ptr<Scheduler> make_sglang_scheduler(EngineSetup setup) {
  return std::make_unique<SglangScheduler>(std::move(setup));
}

}  // namespace perfatlas
