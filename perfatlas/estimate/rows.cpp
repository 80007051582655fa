// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "perfatlas/estimate/estimate.h"

namespace perfatlas::estimate {
namespace {

constexpr double kGiB = double(int64_t(1) << 30);
// Share of their own rate that pools keep when they are coupled, and the wait before a prefill worker starts.
constexpr double kPrefillShare = 0.90, kDecodeShare = 0.92, kTtftFactor = 1.8;

double round3(double value) { return std::nearbyint(value * 1000) / 1000; }

Cell width(const std::optional<int64_t>& value) { return value ? Cell(*value) : Cell(); }
Cell text(std::string_view value) { return std::string(value); }

void add_request(Row& row, const EstimateRequest& request, const Figures& f, double request_rate) {
  row.insert(row.end(), {{"model", request.model},
                         {"isl", request.workload.isl},
                         {"osl", request.workload.osl},
                         {"prefix", request.workload.prefix},
                         {"concurrency", f.concurrency},
                         {"request_rate", request_rate}});
}

void add_rates(Row& row, const Figures& f) {
  row.insert(row.end(), {{"seq/s", f.requests_per_s},
                         {"seq/s/gpu", f.requests_per_s_gpu},
                         {"tokens/s", f.tokens_per_s},
                         {"tokens/s/gpu", f.tokens_per_s_gpu},
                         {"tokens/s/user", f.tokens_per_s_user}});
}

/// Ranks and types of a worker; `prefix` tells pools apart ("(p)").
void add_ranks(Row& row, const std::string& prefix, const Deployment& d, bool with_cp) {
  const Parallel& p = d.parallel;
  row.insert(row.end(), {{prefix + "tp", p.tp},
                         {prefix + "pp", p.pp},
                         {prefix + "dp", p.dp},
                         {prefix + "moe_tp", width(p.moe_tp)},
                         {prefix + "moe_ep", width(p.moe_ep)}});
  if (with_cp) row.emplace_back(prefix + "cp", p.cp);
  row.insert(row.end(), {{prefix + "parallel", p.label()},
                         {prefix + "gemm", text(name_of(d.quant.gemm))},
                         {prefix + "kvcache", text(name_of(d.quant.kv))},
                         {prefix + "fmha", text(name_of(d.quant.fmha))},
                         {prefix + "moe", text(name_of(d.quant.moe))},
                         {prefix + "comm", text(name_of(d.quant.comm))}});
}

void add_software(Row& row, const std::string& prefix, const Deployment& d, const std::string& version) {
  row.insert(row.end(), {{prefix + "backend", text(name_of(d.framework))},
                         {prefix + "version", version},
                         {prefix + "system", d.system}});
}

Cell power(const Figures& f) { return f.power_w ? Cell(*f.power_w) : Cell(); }

Figures rounded(Figures f) {
  for (double* value : {&f.ttft_ms, &f.tpot_ms, &f.request_latency_ms, &f.requests_per_s,
                        &f.requests_per_s_gpu, &f.tokens_per_s, &f.tokens_per_s_gpu, &f.tokens_per_s_user})
    *value = round3(*value);
  return f;
}

bool counts_drafts(const Workload& workload, StaticMode mode) {
  return workload.accepted > 0 && mode != StaticMode::context;
}

/// Published tables are rounded before drafted tokens are taken into account, and after.
Figures published(const StaticResult& result, const Workload& workload, StaticMode mode) {
  return rounded(with_accepted(rounded(result.undrafted), workload, mode));
}

/// Of both pools, weighted by the time that a request spends in each.
void set_power(Figures& f, const StaticResult& prefill, const StaticResult& decode) {
  const double latency = prefill.context.latency_ms + decode.generation.latency_ms;
  const double known = prefill.context.latency_with_energy_ms + decode.generation.latency_with_energy_ms;
  f.power_coverage = latency > 0 ? known / latency : 0;
  f.power_w.reset();
  if (f.power_coverage < kPowerCoverage || f.request_latency_ms <= 0) return;
  const double prefill_w = prefill.context.energy_mj / prefill.context.latency_ms;
  const double decode_w = decode.generation.energy_mj / decode.generation.latency_ms;
  f.power_w = (round3(prefill_w) * f.ttft_ms + round3(decode_w) * (f.request_latency_ms - f.ttft_ms)) /
              f.request_latency_ms;
}

double gpus_of(const PoolResult& pool) {
  return double(pool.worker->deployment().parallel.gpus() * pool.workers);
}

void round_all(Row& row) {
  for (auto& [name, cell] : row)
    if (double* value = std::get_if<double>(&cell)) *value = round3(*value);
}

}  // namespace

Row aggregated_row(const EstimateRequest& request, const Worker& worker, const std::string& version,
                   const AggregatedPoint& point, const AggregatedResult& r) {
  const Figures& f = r.figures;
  const Deployment& d = worker.deployment();
  Row row;
  add_request(row, request, f, f.requests_per_s);
  row.insert(row.end(), {{"bs", point.batch},
                         {"global_bs", point.batch * d.parallel.dp},
                         {"ttft", f.ttft_ms},
                         {"tpot", f.tpot_ms},
                         {"request_latency", f.request_latency_ms},
                         {"encoder_latency", 0.0},
                         {"encoder_memory", 0.0}});
  add_rates(row, f);
  row.emplace_back("num_total_gpus", d.parallel.gpus());
  add_ranks(row, "", d, true);
  row.insert(row.end(), {{"memory", r.memory.total() / kGiB},
                         {"balance_score", r.balance},
                         {"num_ctx_reqs", r.context_requests},
                         {"num_gen_reqs", r.generation_requests},
                         {"num_tokens", r.step_tokens},
                         {"ctx_tokens", point.context_tokens},
                         {"gen_tokens", r.generation_requests}});
  add_software(row, "", d, version);
  row.insert(row.end(), {{"power_w", power(f)},
                         {"power_coverage", f.power_coverage},
                         {"tokens/s/gpu_cluster", f.tokens_per_s_gpu}});
  return row;
}

Figures static_figures(const StaticResult& result, const Workload& workload, StaticMode mode) {
  return counts_drafts(workload, mode) ? published(result, workload, mode) : result.figures;
}

Row static_row(const EstimateRequest& request, const Worker& worker, const std::string& version,
               const StaticPoint& point, const StaticResult& r) {
  const bool drafts = counts_drafts(request.workload, point.mode);
  const Figures f = static_figures(r, request.workload, point.mode);
  const double generation_ms = drafts
                                   ? round3(r.generation.latency_ms) / request.workload.tokens_per_iteration()
                                   : r.generation.latency_ms;
  const Deployment& d = worker.deployment();
  Row row;
  add_request(row, request, f, 0.0);
  row.insert(row.end(), {{"bs", point.batch},
                         {"global_bs", point.batch * d.parallel.dp},
                         {"ttft", f.ttft_ms},
                         {"tpot", f.tpot_ms}});
  add_rates(row, f);
  row.insert(row.end(), {{"request_latency", f.request_latency_ms},
                         {"encoder_latency", 0.0},
                         {"encoder_memory", 0.0},
                         {"context_latency", r.context.latency_ms},
                         {"generation_latency", generation_ms},
                         {"num_total_gpus", d.parallel.gpus()}});
  add_ranks(row, "", d, true);
  row.emplace_back("memory", r.memory.total() / kGiB);
  add_software(row, "", d, version);
  row.insert(row.end(), {{"power_w", power(f)},
                         {"power_coverage", f.power_coverage},
                         {"tokens/s/gpu_cluster", f.tokens_per_s_gpu}});
  if (drafts) round_all(row);
  return row;
}

Row disaggregated_row(const EstimateRequest& request, const PoolResult& prefill, const PoolResult& decode) {
  const Figures p = published(prefill.result, request.workload, StaticMode::context);
  const Figures d = published(decode.result, request.workload, StaticMode::generation);
  const double rate = std::min(p.requests_per_s * double(prefill.workers) * kPrefillShare,
                               d.requests_per_s * double(decode.workers) * kDecodeShare);
  const double gpus = gpus_of(prefill) + gpus_of(decode), osl = double(request.workload.osl);
  Figures f = d;
  f.ttft_ms = p.ttft_ms * kTtftFactor;
  f.request_latency_ms = f.ttft_ms + d.tpot_ms * std::max(osl - 1, 0.0);
  f.requests_per_s = rate;
  f.requests_per_s_gpu = rate / gpus;
  f.tokens_per_s = rate * osl;
  f.tokens_per_s_gpu = rate * osl / gpus;
  f.concurrency = d.concurrency * double(decode.workers);
  set_power(f, prefill.result, decode.result);
  Row row;
  add_request(row, request, f, rate);
  const auto global = [](const PoolResult& pool) {
    return pool.batch * pool.worker->deployment().parallel.dp;
  };
  row.insert(row.end(), {{"(p)bs", prefill.batch},
                         {"(p)global_bs", global(prefill)},
                         {"(p)workers", prefill.workers},
                         {"(d)bs", decode.batch},
                         {"(d)global_bs", global(decode)},
                         {"(d)workers", decode.workers},
                         {"ttft", f.ttft_ms},
                         {"tpot", f.tpot_ms},
                         {"request_latency", f.request_latency_ms},
                         {"encoder_latency", 0.0}});
  add_rates(row, f);
  row.insert(row.end(), {{"(p)seq/s/worker", p.requests_per_s},
                         {"(d)seq/s/worker", d.requests_per_s},
                         {"num_total_gpus", int64_t(gpus)}});
  for (const auto& [prefix, pool] : {std::pair{"(p)", &prefill}, {"(d)", &decode}}) {
    const Deployment& deployment = pool->worker->deployment();
    add_ranks(row, prefix, deployment, pool == &prefill);
    row.emplace_back(std::string(prefix) + "memory", pool->result.memory.total() / kGiB);
    add_software(row, prefix, deployment, pool->version);
  }
  row.insert(row.end(), {{"(e)workers", int64_t(0)},
                         {"(e)tp", int64_t(0)},
                         {"(e)pp", int64_t(0)},
                         {"(e)bs", int64_t(0)},
                         {"(e)parallel", std::string()},
                         {"(e)memory", 0.0},
                         {"power_w", power(f)},
                         {"tokens/s/gpu_cluster", f.tokens_per_s_gpu}});
  round_all(row);
  row.emplace_back("power_coverage", f.power_coverage);
  return row;
}

}  // namespace perfatlas::estimate
