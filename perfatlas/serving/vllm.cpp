// SPDX-License-Identifier: Apache-2.0
// vLLM v1: every step computes all decodes and, with what they leave of the token budget, prompts in chunks.
#include "perfatlas/serving/scheduler.h"

namespace perfatlas {
namespace {

class VllmScheduler final : public Scheduler {
 public:
  using Scheduler::Scheduler;

  void plan(EngineRank& rank, RankStep& step) override {
    plan_chunked(rank, step, launch().token_budget - rank.decoding.size());
  }
};

}  // namespace

std::unique_ptr<Scheduler> make_vllm_scheduler(EngineSetup setup) {
  return std::make_unique<VllmScheduler>(std::move(setup));
}

}  // namespace perfatlas
