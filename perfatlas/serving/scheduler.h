// SPDX-License-Identifier: Apache-2.0
// How an engine decides what its next step computes. One file per engine implements it: vllm.cpp, sglang.cpp,
// trtllm.cpp, llama_cpp.cpp. The loop that drives it is aggregated.cpp.
#pragma once

#include <memory>
#include <span>

#include "perfatlas/serving/launch.h"
#include "perfatlas/serving/rank.h"

namespace perfatlas {

/// What a scheduler needs to know of the engine. REQUIRES: prices outlive it.
struct EngineSetup {
  Launch launch;
  double kv_capacity_tokens = std::numeric_limits<double>::infinity();  // per rank
  const PriceTables* prices = nullptr;
};

class Scheduler {
 public:
  explicit Scheduler(EngineSetup setup) : setup_(std::move(setup)) {}
  virtual ~Scheduler() = default;

  /// Whether the engine looks at its socket before the next step. An idle engine always does.
  virtual bool looks_for_arrivals() const { return true; }
  /// It looked.
  virtual void looked() {}
  /// Before plan() of each rank: decisions over all ranks.
  virtual void begin_step(std::span<const EngineRank>) {}
  /// Takes prompts or parts of them from the rank into the step.
  virtual void plan(EngineRank& rank, RankStep& step) = 0;
  /// Steps with prompt work compute no decodes.
  virtual bool prompts_pause_decodes() const { return false; }

  /// How many decode steps may be run as one, when the next arrival is `steps_to_arrival` steps away (kNever: none).
  virtual int64_t decode_run(int64_t steps_to_arrival) const { return steps_to_arrival; }
  virtual void after_decodes(int64_t /*steps*/) {}
  virtual void after_prompts() {}
  /// A request left its rank.
  virtual void finished(const ServingRequest&) {}

  /// Kernel time of a step of one rank. REQUIRES: decodes of the shape are filled in.
  virtual double step_ms(const EngineRank& rank, const RankStep& step) const;
  /// Kernel time of one decode step of a rank after `ahead` more steps; 0 without sequences.
  virtual double decode_ms(const EngineRank& rank, double ahead) const;

  /// KV tokens promised to a request when it is admitted.
  double kv_reservation(const ServingRequest& request) const;

 protected:
  const Launch& launch() const { return setup_.launch; }
  const PriceTables& prices() const { return *setup_.prices; }
  /// Whether the next prompt may run: fewer than max_running, and its KV reservation fits or the rank is empty.
  bool admits(EngineRank& rank) const;
  /// Takes the first waiting prompt and reserves its KV. REQUIRES: admits(rank).
  ServingRequest admit(EngineRank& rank) const;
  /// Chunked prefill: prompts computed in part first, then waiting ones in order; the last one is cut at the budget.
  void plan_chunked(EngineRank& rank, RankStep& step, int64_t budget) const;

 private:
  EngineSetup setup_;
};

std::unique_ptr<Scheduler> make_vllm_scheduler(EngineSetup setup);
std::unique_ptr<Scheduler> make_sglang_scheduler(EngineSetup setup);
std::unique_ptr<Scheduler> make_trtllm_scheduler(EngineSetup setup);
std::unique_ptr<Scheduler> make_llama_cpp_scheduler(EngineSetup setup);

/// The scheduler of setup.launch.engine.
std::unique_ptr<Scheduler> make_scheduler(EngineSetup setup);

}  // namespace perfatlas
