// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "perfatlas/estimate/serving.h"

namespace perfatlas::estimate {
namespace {

/// Calls visit(sequence length, steps that it stands for) for every priced decode step.
template <class Visit>
void each_decode_step(const Workload& w, int64_t stride, Visit visit) {
  for (int64_t i = 0; i < w.osl - 1; i += stride)
    visit(w.isl + i + 1, double(std::min(stride, w.osl - 1 - i)));
}

StepPrice decode_phase(const Worker& worker, const Workload& w, const StaticPoint& p) {
  StepPrice total;
  each_decode_step(w, p.stride, [&](int64_t s, double steps) {
    if (!total.ok()) return;
    StepPrice price = worker.generation_step(p.batch, s);
    price *= steps;
    total += price;
  });
  return total;
}

Memory static_memory(const Worker& worker, const Workload& w, const StaticPoint& p,
                     const MemoryLimits& limits) {
  const int64_t osl = p.mode == StaticMode::context ? 1 : w.osl;
  MemoryDemand demand{.batch = p.batch,
                      .sequence_tokens = limits.max_seq_len.value_or(w.isl + osl),
                      .step_tokens = (w.isl - w.prefix) * p.batch,
                      .drafting_tokens = 0};
  if (p.mode == StaticMode::generation) {
    demand.step_tokens = p.batch;
    demand.drafting_tokens.reset();
  }
  return memory_of(worker.sizes(), demand);
}

void fill_figures(StaticResult& r, const Worker& worker, const Workload& w, const StaticPoint& p) {
  const Parallel& ranks = worker.deployment().parallel;
  Figures& f = r.figures;
  f.ttft_ms = r.context.latency_ms;
  f.tpot_ms = w.osl > 1 ? r.generation.latency_ms / double(w.osl - 1) : 0;
  f.request_latency_ms = f.ttft_ms + f.tpot_ms * double(w.osl - 1);
  const double requests = double(p.batch * ranks.dp);
  f.concurrency = requests;
  f.requests_per_s = f.request_latency_ms > 0 ? requests / f.request_latency_ms * 1000 * double(ranks.pp) : 0;
  const double tokens = p.mode == StaticMode::context      ? 1
                        : p.mode == StaticMode::generation ? double(w.osl - 1)
                                                           : double(w.osl);
  f.tokens_per_s = f.requests_per_s * tokens;
  // Ranks that share prompts are not counted here, as in aiconfigurator.
  const double gpus = double(ranks.tp * ranks.pp * ranks.dp);
  f.requests_per_s_gpu = f.requests_per_s / gpus;
  f.tokens_per_s_gpu = f.tokens_per_s / gpus;
  f.tokens_per_s_user = f.tpot_ms > 0 ? 1000 / f.tpot_ms : 0;
  const double latency = r.context.latency_ms + r.generation.latency_ms;
  if (latency <= 0) return;
  f.power_coverage = (r.context.latency_with_energy_ms + r.generation.latency_with_energy_ms) / latency;
  if (f.power_coverage >= kPowerCoverage)
    f.power_w = (r.context.energy_mj + r.generation.energy_mj) / latency;
}

}  // namespace

Figures with_accepted(Figures f, const Workload& w, StaticMode mode) {
  if (w.accepted <= 0 || mode == StaticMode::context) return f;
  const double progress = w.tokens_per_iteration(), before = f.request_latency_ms;
  f.tpot_ms /= progress;
  f.request_latency_ms = f.ttft_ms + f.tpot_ms * double(w.osl - 1);
  const bool combined = mode == StaticMode::both;
  const double ratio = combined ? (f.request_latency_ms > 0 ? before / f.request_latency_ms : 1) : progress;
  for (double* rate : {&f.requests_per_s, &f.requests_per_s_gpu, &f.tokens_per_s, &f.tokens_per_s_gpu})
    *rate *= ratio;
  f.tokens_per_s_user *= progress;
  return f;
}

StaticResult run_static(const Worker& worker, const Workload& w, const StaticPoint& p,
                        const MemoryLimits& limits, const std::string& version) {
  StaticResult r;
  if (p.mode != StaticMode::generation) r.context = worker.context_step(p.batch, w.isl - w.prefix, w.prefix);
  if (p.mode != StaticMode::context) r.generation = decode_phase(worker, w, p);
  r.context *= p.correction;
  r.generation *= p.correction;
  fill_figures(r, worker, w, p);
  r.undrafted = r.figures;
  r.figures = with_accepted(r.undrafted, w, p.mode);
  r.memory = static_memory(worker, w, p, limits);
  const double capacity = capacity_bytes(worker.system());
  CacheRule rule = static_cache_rule(worker.deployment(), version, capacity);
  if (limits.fraction) rule.fraction = *limits.fraction;
  r.fit = fit_of(r.memory, rule, capacity);
  return r;
}

StaticOps static_ops(const Worker& worker, const Workload& w, const StaticPoint& p) {
  StaticOps ops;
  if (p.mode != StaticMode::generation) ops.context = worker.context_ops(p.batch, w.isl - w.prefix, w.prefix);
  if (p.mode != StaticMode::context)
    each_decode_step(w, p.stride, [&](int64_t s, double steps) {
      OpPrices step = worker.generation_ops(p.batch, s);
      for (size_t i = 0; i < step.size(); ++i) {
        step[i].scale(steps);
        if (i == ops.generation.size())
          ops.generation.push_back(step[i]);
        else
          ops.generation[i].add(step[i]);
      }
    });
  for (OpPrices* lines : {&ops.context, &ops.generation})
    for (OpPrice& line : *lines) line.scale(p.correction);
  return ops;
}

}  // namespace perfatlas::estimate
