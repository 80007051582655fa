// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "perfatlas/estimate/serving.h"

namespace perfatlas::estimate {
namespace {

/// vLLM: time per layer between the arrival of a prompt and its first step.
constexpr double kVllmDispatchMsPerLayer = 0.8;
/// Steps at the end of a burst of prompts that have few decodes left (TensorRT-LLM and SGLang).
constexpr double kDrainSteps = 3;

/// How a burst of `batch` requests is worked off.
struct Schedule {
  double prompt_steps = 0;  // to run all prompts
  int64_t decodes_per_mixed_step = 0;
  double mixed_steps = 0, decode_steps = 0;
  double mixed_steps_in_tpot = 0;
  int64_t decode_batch = 0;
};

/// How often `part` goes into `whole`, exactly: the quotient of two doubles may round up to the next whole number.
int64_t times_in(double whole, double part) { return std::llround((whole - std::fmod(whole, part)) / part); }

/// Decodes beside the prompts of a mixed step. Where prompts outlast the decodes, TensorRT-LLM and SGLang thin them
/// out.
int64_t decodes_beside(Framework framework, const AggregatedPoint& p, double prompts_in_step,
                       double decode_rounds) {
  const auto left = p.batch - int64_t(prompts_in_step);
  if (framework == Framework::vllm || decode_rounds < 1) return std::max<int64_t>(1, left);
  return std::max<int64_t>(1, times_in(double(p.batch), decode_rounds));
}

Schedule schedule(Framework framework, const Workload& w, const AggregatedPoint& p, double iterations) {
  Schedule s;
  s.prompt_steps = std::ceil(double(w.isl * p.batch) / double(p.context_tokens));
  if (p.batch == 1) {
    s.mixed_steps = 1;
    s.decode_steps = std::max(iterations - 1, 0.0);
    s.decode_batch = 1;
    return s;
  }
  const double prompts_in_step = std::ceil(double(p.context_tokens) / double(w.isl));
  s.decodes_per_mixed_step = decodes_beside(framework, p, prompts_in_step, s.prompt_steps / iterations);
  s.mixed_steps = s.mixed_steps_in_tpot = s.prompt_steps;
  if (s.prompt_steps >= iterations) return s;
  s.decode_steps = iterations - s.mixed_steps;
  s.decode_batch = p.batch;
  if (rules_of(framework).drain_correction)
    s.mixed_steps_in_tpot = std::max(1.0, s.mixed_steps - kDrainSteps);
  return s;
}

/// How much longer than one prompt's own steps a request waits for its first token.
double queueing_factor(Framework framework, int64_t batch, double prompt_steps) {
  if (framework != Framework::vllm) return std::min(2 + (prompt_steps - 3) / 20, 4.0);
  return batch <= 1 ? 1 : std::min(1 + std::log2(double(batch)) / 8, 2.0);
}

/// The footprint that counts against the GPU's memory, and the tokens that a step works on.
Memory aggregated_memory(const Worker& worker, const Workload& w, const AggregatedPoint& p,
                         const MemoryLimits& limits, AggregatedResult& result) {
  const bool fixed = rules_of(worker.deployment().framework).fixed_token_capacity;
  const bool single = p.batch == 1;
  result.step_tokens = single ? p.context_tokens : result.generation_requests + p.context_tokens;
  MemoryDemand demand{.batch = p.batch,
                      .sequence_tokens = w.isl + w.osl,
                      .step_tokens = result.step_tokens,
                      .drafting_tokens = single ? 0 : result.generation_requests};
  if (fixed) {
    demand.sequence_tokens = limits.max_seq_len.value_or(demand.sequence_tokens);
    demand.step_tokens = kTrtllmMaxTokens;
    demand.drafting_tokens.reset();
  }
  const Memory memory = memory_of(worker.sizes(), demand);
  if (!single || w.osl <= 1 || fixed) return memory;
  demand.step_tokens = result.generation_requests;
  demand.drafting_tokens.reset();
  const Memory decoding = memory_of(worker.sizes(), demand);
  return decoding.total() > memory.total() ? decoding : memory;
}

void fill_figures(AggregatedResult& r, const Worker& worker, const Workload& w, const AggregatedPoint& p,
                  const Schedule& s) {
  const Deployment& d = worker.deployment();
  Figures& f = r.figures;
  const double dispatch =
      d.framework == Framework::vllm ? kVllmDispatchMsPerLayer * double(worker.model().sizes().layers) : 0;
  const double own_steps = std::ceil(double(w.isl) / double(p.context_tokens));
  f.ttft_ms =
      (r.mixed.latency_ms * own_steps + dispatch) * queueing_factor(d.framework, p.batch, s.prompt_steps);
  const double tpot_steps = s.mixed_steps_in_tpot + s.decode_steps;
  if (tpot_steps > 0)
    f.tpot_ms = (r.mixed.latency_ms * s.mixed_steps_in_tpot + r.decode.latency_ms * s.decode_steps) /
                tpot_steps / w.tokens_per_iteration();
  const double total_ms = s.mixed_steps * r.mixed.latency_ms + s.decode_steps * r.decode.latency_ms;
  const double generated = double(w.osl - 1), batch = double(p.batch);
  double tokens_per_s = w.osl > 1 && total_ms > 0 ? 1000 / total_ms * batch * generated : 0;
  f.request_latency_ms = f.ttft_ms + f.tpot_ms * generated;
  // Little's law: no more than the requests in flight over the time that each takes.
  if (d.framework == Framework::vllm && f.request_latency_ms > 0)
    tokens_per_s = std::min(tokens_per_s, batch * generated * 1000 / f.request_latency_ms);
  const double replicas = double(d.parallel.pp * d.parallel.dp), gpus = double(d.parallel.gpus());
  f.tokens_per_s = tokens_per_s * replicas;
  f.concurrency = batch * replicas;
  f.requests_per_s = w.osl > 1 ? f.tokens_per_s / generated : 0;
  f.tokens_per_s_gpu = f.tokens_per_s / gpus;
  f.requests_per_s_gpu = f.requests_per_s / gpus;
  f.tokens_per_s_user = w.osl > 1 && f.tpot_ms > 0 ? 1000 / f.tpot_ms : 0;
}

}  // namespace

AggregatedResult run_aggregated(const Worker& worker, const Workload& w, const AggregatedPoint& p,
                                const MemoryLimits& limits, const std::string& version) {
  AggregatedResult r;
  const Framework framework = worker.deployment().framework;
  r.decode_iterations = 1 + double(std::max<int64_t>(w.osl - 1, 0)) / w.tokens_per_iteration();
  const Schedule s = schedule(framework, w, p, r.decode_iterations);
  r.balance = double(w.isl * p.batch) / double(p.context_tokens) / r.decode_iterations;
  r.mixed_steps = s.mixed_steps;
  r.decode_steps = s.decode_steps;
  r.decode_requests = s.decode_batch;
  r.mixed_step = {p.context_tokens, s.decodes_per_mixed_step, w.isl, w.osl, w.prefix};
  r.mixed = worker.mixed_step(r.mixed_step);
  if (s.decode_batch > 0) r.decode = worker.generation_step(s.decode_batch, w.isl + w.osl / 2 + 1);
  r.context_requests = p.batch == 1 ? 1 : (p.context_tokens + w.isl - 1) / w.isl;
  r.generation_requests = p.batch == 1 ? 1 : p.batch - r.context_requests;
  fill_figures(r, worker, w, p, s);
  r.memory = aggregated_memory(worker, w, p, limits, r);
  CacheRule rule = aggregated_cache_rule(framework, version);
  if (limits.fraction) rule.fraction = *limits.fraction;
  r.fit = fit_of(r.memory, rule, capacity_bytes(worker.system()));
  return r;
}

}  // namespace perfatlas::estimate
