// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/serving/scheduler.h"

#include <algorithm>
#include <cstddef>

#include "perfatlas/base/error.h"

namespace perfatlas {

double Scheduler::step_ms(const EngineRank&, const RankStep& step) const {
  return perfatlas::step_ms(prices(), step.shape);
}

double Scheduler::decode_ms(const EngineRank& rank, double ahead) const {
  const int64_t decodes = rank.decoding.size();
  return decodes == 0 ? 0 : prices().decode.at(double(decodes), rank.decoding.mean_kv() + ahead);
}

double Scheduler::kv_reservation(const ServingRequest& request) const {
  return double(request.input_tokens) + launch().reserved_output_share() * double(request.output_tokens);
}

bool Scheduler::admits(EngineRank& rank) const {
  if (rank.waiting.empty() || rank.running >= launch().max_running) return false;
  if (rank.running == 0) return true;
  if (rank.kv_reserved + kv_reservation(rank.waiting.front()) <= setup_.kv_capacity_tokens) return true;
  ++rank.kv_refusals;
  return false;
}

ServingRequest Scheduler::admit(EngineRank& rank) const {
  const ServingRequest request = rank.take_waiting();
  ++rank.running;
  rank.kv_reserved += kv_reservation(request);
  return request;
}

void Scheduler::plan_chunked(EngineRank& rank, RankStep& step, int64_t budget) const {
  // What remains of each is put behind them.
  const size_t begun = rank.partial.size();
  for (size_t i = 0; i < begun; ++i) {
    const ServingRequest request = rank.partial[i];
    const int64_t tokens = std::min(request.input_tokens - request.prefilled, budget);
    budget -= std::max<int64_t>(tokens, 0);
    if (tokens > 0)
      step.add(request, tokens, rank.partial);
    else
      rank.partial.push_back(request);
  }
  rank.partial.erase(rank.partial.begin(), rank.partial.begin() + std::ptrdiff_t(begun));
  while (budget > 0 && admits(rank)) {
    const ServingRequest request = admit(rank);
    const int64_t tokens = std::min(request.input_tokens, budget);
    budget -= tokens;
    step.add(request, tokens, rank.partial);
  }
}

std::unique_ptr<Scheduler> make_scheduler(EngineSetup setup) {
  switch (setup.launch.engine) {
    case ServingEngine::vllm:
      return make_vllm_scheduler(std::move(setup));
    case ServingEngine::sglang:
      return make_sglang_scheduler(std::move(setup));
    case ServingEngine::trtllm:
      return make_trtllm_scheduler(std::move(setup));
    case ServingEngine::llama_cpp:
      return make_llama_cpp_scheduler(std::move(setup));
  }
  PERFATLAS_ASSERT(false);
  return nullptr;
}

}  // namespace perfatlas
