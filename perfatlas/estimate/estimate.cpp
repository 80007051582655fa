// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/estimate.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"

namespace perfatlas::estimate {
namespace {

constexpr double kGiB = double(int64_t(1) << 30);
// Published corrections of single-phase workers in a disaggregated deployment.
constexpr double kPrefillCorrection = 1.1, kDecodeCorrection = 1.08;

constexpr std::pair<ServingMode, std::string_view> kModes[] = {
    {ServingMode::aggregated, "agg"},
    {ServingMode::disaggregated, "disagg"},
    {ServingMode::static_both, "static"},
    {ServingMode::static_context, "static_ctx"},
    {ServingMode::static_generation, "static_gen"}};

WorkerQuestion question_of(const EstimateRequest& r, const std::string& system, const Pool& pool,
                           PhasesNeeded phases) {
  WorkerQuestion q;
  q.model = r.model;
  q.system = system;
  q.framework = r.framework;
  q.version = r.version;
  q.view = r.view;
  q.parallel = pool.parallel;
  q.quant = r.quant;
  q.drafted_tokens = r.drafted_tokens;
  q.attention_backend = r.attention_backend;
  q.moe_backend = r.moe_backend;
  q.phases = phases;
  q.spans_nodes = r.mode != ServingMode::aggregated;
  return q;
}

[[noreturn]] void refuse_missing(const std::string& what, const std::string& explanation) {
  throw UsageError(fmt::format("no data for {}: {}", what, explanation));
}

std::string how_much(const Memory& m, double capacity) {
  return fmt::format(
      "needs {:.1f} GiB of {:.1f} GiB (weights {:.1f}, activations {:.1f}, KV cache {:.1f}, "
      "communication {:.1f}, other {:.1f})",
      m.total() / kGiB, capacity / kGiB, m.weights / kGiB, m.activations / kGiB, m.kv_cache / kGiB,
      m.communication / kGiB, m.other / kGiB);
}

/// What to change when a worker does not fit: its weights alone may be too much.
std::string remedy(const Memory& m, double capacity) {
  if (m.total() - m.kv_cache >= capacity) return "raise --tp or --pp, or quantise the model";
  return "lower --batch-size, or raise --tp";
}

std::string memory_text(const std::string& who, const Memory& memory, Fit fit, double capacity) {
  if (fit == Fit::fits) return {};
  const std::string amounts = how_much(memory, capacity);
  if (fit == Fit::does_not_fit)
    return fmt::format("{} does not fit: it {}; {}", who, amounts, remedy(memory, capacity));
  return fmt::format(
      "{} has too little memory for its KV cache: it {}, and the framework keeps a part back; requests "
      "would queue; lower --batch-size or raise the memory fraction",
      who, amounts);
}

StaticMode static_mode(ServingMode mode) {
  return mode == ServingMode::static_context      ? StaticMode::context
         : mode == ServingMode::static_generation ? StaticMode::generation
                                                  : StaticMode::both;
}

void require_price(const Worker& worker, const Workload& w, const StaticPoint& p, const StaticResult& r) {
  if (!r.context.ok())
    refuse_missing("prefill", worker.explain_context(r.context, p.batch, w.isl - w.prefix, w.prefix));
  if (!r.generation.ok())
    refuse_missing("decode", worker.explain_generation(r.generation, p.batch, w.isl + 1));
}

void add_static_breakdown(Estimate& e, const Worker& worker, const StaticPoint& p, const char* context,
                          const char* generation) {
  if (!e.request.breakdown) return;
  StaticOps ops = static_ops(worker, e.request.workload, p);
  if (!ops.context.empty()) {
    e.ttft_spread = spread_of(ops.context);
    e.breakdown.push_back({context, std::move(ops.context)});
  }
  if (!ops.generation.empty()) {
    e.tpot_spread = spread_of(ops.generation);
    e.breakdown.push_back({generation, std::move(ops.generation)});
  }
}

void add_aggregated_breakdown(Estimate& e, const Worker& worker, const AggregatedResult& result) {
  const Workload& w = e.request.workload;
  OpPrices mixed = worker.mixed_ops(result.mixed_step), decode;
  if (result.decode_requests > 0)
    decode = worker.generation_ops(result.decode_requests, w.isl + w.osl / 2 + 1);
  e.ttft_spread = spread_of(mixed);
  e.tpot_spread = token_spread(mixed, decode, result);
  e.breakdown.push_back({"mix_step", std::move(mixed)});
  if (!decode.empty()) e.breakdown.push_back({"genonly_step", std::move(decode)});
}

void estimate_aggregated(Session& session, Estimate& e) {
  const EstimateRequest& r = e.request;
  const auto worker = session.worker(question_of(r, r.system, r.worker, {}));
  e.version = session.open(r.system, r.framework, r.version, r.view.mode).version;
  const AggregatedPoint point{*r.worker.batch, r.context_tokens.value_or(r.workload.isl)};
  const AggregatedResult result = run_aggregated(*worker, r.workload, point, r.worker.limits, e.version);
  if (!result.mixed.ok())
    refuse_missing("a mixed step", worker->explain_mixed(result.mixed, result.mixed_step));
  if (!result.decode.ok())
    refuse_missing("a decode step", worker->explain_generation(result.decode, result.decode_requests,
                                                               r.workload.isl + r.workload.osl / 2 + 1));
  const double capacity = capacity_bytes(worker->system());
  e.memory_warning = memory_text("the worker", result.memory, result.fit, capacity);
  if (result.fit == Fit::does_not_fit) throw UsageError(e.memory_warning);
  e.figures = result.figures;
  e.columns = aggregated_row(r, *worker, e.version, point, result);
  e.memory = {{"worker", result.memory}};
  e.capacity_bytes = {capacity};
  if (r.breakdown) add_aggregated_breakdown(e, *worker, result);
  StepPrice all = result.mixed, decode = result.decode;
  all *= result.mixed_steps;
  decode *= result.decode_steps;
  all += decode;
  e.origin = origin_of(all);
  e.scheduling = result;
  e.comm_fallbacks = worker->comm_fallbacks();
}

void estimate_static(Session& session, Estimate& e) {
  const EstimateRequest& r = e.request;
  const PhasesNeeded phases{.context = true, .generation = r.mode != ServingMode::static_context};
  WorkerQuestion question = question_of(r, r.system, r.worker, phases);
  question.decodes_only = r.mode == ServingMode::static_generation;
  const auto worker = session.worker(question);
  e.version = session.open(r.system, r.framework, r.version, r.view.mode).version;
  const StaticPoint point{.mode = static_mode(r.mode), .batch = *r.worker.batch, .stride = r.stride};
  MemoryLimits limits = r.worker.limits;
  limits.max_seq_len.reset();  // a single batch gets the cache that its requests need, no more
  const StaticResult result = run_static(*worker, r.workload, point, limits, e.version);
  require_price(*worker, r.workload, point, result);
  const double capacity = capacity_bytes(worker->system());
  // A single batch is worked off whatever the framework would keep free.
  const Fit fit = result.fit == Fit::kv_cache_too_small ? Fit::fits : result.fit;
  e.memory_warning = memory_text("the worker", result.memory, fit, capacity);
  e.figures = static_figures(result, r.workload, point.mode);
  e.columns = static_row(r, *worker, e.version, point, result);
  e.memory = {{"worker", result.memory}};
  e.capacity_bytes = {capacity};
  add_static_breakdown(e, *worker, point, "context", "generation");
  StepPrice all = result.context;
  all += result.generation;
  e.origin = origin_of(all);
  e.comm_fallbacks = worker->comm_fallbacks();
}

struct PoolPlan {
  const char* name;
  std::string system;
  const Pool* pool;
  StaticPoint point;
};

PoolResult run_pool(Session& session, Estimate& e, const PoolPlan& plan,
                    std::shared_ptr<const Worker>& worker) {
  const EstimateRequest& r = e.request;
  const bool context = plan.point.mode == StaticMode::context;
  worker =
      session.worker(question_of(r, plan.system, *plan.pool, {.context = context, .generation = !context}));
  PoolResult pool{.worker = worker.get(),
                  .version = session.open(plan.system, r.framework, r.version, r.view.mode).version,
                  .batch = plan.point.batch,
                  .workers = *plan.pool->workers,
                  .result = {}};
  pool.result = run_static(*worker, r.workload, plan.point, plan.pool->limits, pool.version);
  require_price(*worker, r.workload, plan.point, pool.result);
  const double capacity = capacity_bytes(worker->system());
  const std::string text =
      memory_text(fmt::format("a {} worker", plan.name), pool.result.memory, pool.result.fit, capacity);
  if (!text.empty()) throw UsageError(text);
  e.memory.emplace_back(plan.name, pool.result.memory);
  e.capacity_bytes.push_back(capacity);
  add_static_breakdown(e, *worker, plan.point, "prefill", "decode");
  for (const aic::MoeCommFallback& fallback : worker->comm_fallbacks()) e.comm_fallbacks.push_back(fallback);
  return pool;
}

double number_at(const Row& row, std::string_view name) {
  for (const auto& [column, cell] : row)
    if (column == name) return std::get<double>(cell);
  return 0;
}

void estimate_disaggregated(Session& session, Estimate& e) {
  const EstimateRequest& r = e.request;
  const std::string& decode_system = r.decode_system.empty() ? r.system : r.decode_system;
  std::shared_ptr<const Worker> prefill_worker, decode_worker;
  const PoolResult prefill = run_pool(session, e,
                                      {"prefill",
                                       r.system,
                                       &r.prefill,
                                       {.mode = StaticMode::context,
                                        .batch = *r.prefill.batch,
                                        .stride = r.stride,
                                        .correction = kPrefillCorrection}},
                                      prefill_worker);
  const PoolResult decode = run_pool(session, e,
                                     {"decode",
                                      decode_system,
                                      &r.decode,
                                      {.mode = StaticMode::generation,
                                       .batch = *r.decode.batch,
                                       .stride = r.stride,
                                       .correction = kDecodeCorrection}},
                                     decode_worker);
  e.version = prefill.version == decode.version ? prefill.version : prefill.version + "-" + decode.version;
  e.columns = disaggregated_row(r, prefill, decode);
  e.figures = {.ttft_ms = number_at(e.columns, "ttft"),
               .tpot_ms = number_at(e.columns, "tpot"),
               .request_latency_ms = number_at(e.columns, "request_latency"),
               .requests_per_s = number_at(e.columns, "seq/s"),
               .tokens_per_s = number_at(e.columns, "tokens/s"),
               .tokens_per_s_gpu = number_at(e.columns, "tokens/s/gpu"),
               .requests_per_s_gpu = number_at(e.columns, "seq/s/gpu"),
               .tokens_per_s_user = number_at(e.columns, "tokens/s/user"),
               .concurrency = number_at(e.columns, "concurrency"),
               .power_w = std::nullopt,
               .power_coverage = number_at(e.columns, "power_coverage")};
  StepPrice all = prefill.result.context;
  all += decode.result.generation;
  e.origin = origin_of(all);
}

}  // namespace

Spread spread_of(const OpPrices& ops) {
  Spread spread;
  double total = 0;
  for (const OpPrice& line : ops) {
    total += line.price.latency_ms;
    spread.half_width += line.error_ms;
    spread.unbounded += line.unbounded_ms;
  }
  if (total <= 0) return {};
  spread.half_width /= total;
  spread.unbounded /= total;
  return spread;
}

Spread token_spread(const OpPrices& mixed, const OpPrices& decode, const AggregatedResult& scheduling) {
  OpPrices all = mixed;
  for (OpPrice& line : all) line.scale(scheduling.mixed_steps);
  for (OpPrice line : decode) {
    line.scale(scheduling.decode_steps);
    all.push_back(std::move(line));
  }
  return spread_of(all);
}

std::string_view name_of(ServingMode mode) {
  for (const auto& [known, name] : kModes)
    if (known == mode) return name;
  return {};
}

ServingMode serving_mode_from_name(std::string_view name) {
  for (const auto& [mode, known] : kModes)
    if (name == known) return mode;
  throw UsageError(
      fmt::format("--mode '{}' is unknown; known: agg, disagg, static, static_ctx and static_gen", name));
}

Origin origin_of(const StepPrice& price) {
  Origin origin;
  if (price.latency_ms <= 0) return origin;
  const auto share = [&](aic::Source source) { return price.by_source[size_t(source)] / price.latency_ms; };
  origin.transferred = price.transferred_ms / price.latency_ms;
  origin.measured = share(aic::Source::silicon);
  origin.formula = share(aic::Source::empirical) - origin.transferred;
  origin.light = share(aic::Source::sol);
  origin.mixed = share(aic::Source::estimated) + share(aic::Source::mixed);
  return origin;
}

Estimate run_estimate(Session& session, const EstimateRequest& request) {
  Estimate e;
  e.request = request;
  const auto model = session.model(request.model);
  check_request(request, model->sizes());
  e.context_warning = context_warning(request, model->sizes());
  const bool disaggregated = request.mode == ServingMode::disaggregated;
  for (const Pool* pool : {&request.worker, &request.prefill, &request.decode})
    if (e.ranks_warning.empty() && (pool != &request.worker) == disaggregated)
      e.ranks_warning = model->why_unused(pool->parallel);
  switch (request.mode) {
    case ServingMode::aggregated:
      estimate_aggregated(session, e);
      break;
    case ServingMode::disaggregated:
      estimate_disaggregated(session, e);
      break;
    default:
      estimate_static(session, e);
  }
  return e;
}

}  // namespace perfatlas::estimate
