// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "perfatlas/base/error.h"
#include "perfatlas/search/frontier.h"
#include "perfatlas/search/simulated.h"
#include "perfatlas/search/sweep_impl.h"

namespace perfatlas {
namespace {

constexpr int kMostRecommendedWorkerGpus = 64;

std::vector<LatencyTarget> targets_of(const SearchRequest& request) {
  if (request.request_latency_ms)
    return request_latency_targets(*request.request_latency_ms, int(request.workload.osl),
                                   request.target.ttft_ms);
  std::vector<LatencyTarget> targets;
  for (const double tpot_ms : tpot_targets_ms()) targets.push_back({request.target.ttft_ms, tpot_ms});
  return targets;
}

/// The TPOT that the limit is on.
double limited_tpot_ms(const SearchRequest& request, const Found& found) {
  return found.simulated ? value_of(found.simulated->tpot_ms, request.tpot_statistic) : found.tpot_ms;
}

void keep_within_limits(const SearchRequest& request, std::vector<Found>& found) {
  std::erase_if(found, [&](const Found& f) {
    return request.request_latency_ms ? f.request_latency_ms > *request.request_latency_ms
                                      : limited_tpot_ms(request, f) > request.target.tpot_ms;
  });
}

void rank(const SearchRequest& request, Experiment& experiment) {
  std::vector<Found>& found = experiment.found;
  std::stable_sort(found.begin(), found.end(),
                   [](const Found& a, const Found& b) { return a.tokens_per_s_gpu > b.tokens_per_s_gpu; });
  if (request.strict) keep_within_limits(request, found);
  std::vector<FrontierPoint> points;
  std::vector<PickRow> rows;
  for (const Found& f : found) {
    points.push_back({request.request_latency_ms ? f.request_latency_ms : f.tokens_per_s_user,
                      f.cluster_tokens_per_s_gpu});
    rows.push_back(pick_row(f));
    rows.back().tpot_ms = limited_tpot_ms(request, f);
  }
  experiment.frontier = pareto_frontier(points, request.request_latency_ms ? Better::less : Better::more);
  experiment.picks = pick_best(rows, {.tpot_ms = request.target.tpot_ms,
                                      .request_latency_ms = request.request_latency_ms,
                                      .strict = request.strict,
                                      .top_n = request.top_n});
}

size_t count(const SearchTally& tally, Refusal::Kind kind) {
  return size_t(std::count_if(tally.refusals.begin(), tally.refusals.end(),
                              [&](const Refusal& refusal) { return refusal.kind == kind; }));
}

std::string first_reason(const SearchTally& tally, Refusal::Kind kind) {
  for (const Refusal& refusal : tally.refusals)
    if (refusal.kind == kind) return fmt::format("{}: {}", refusal.parallel, refusal.reason);
  return {};
}

/// The binding constraint of an experiment without rows, the most fundamental first.
std::string why_nothing(const SearchRequest& request, const Experiment& experiment) {
  const SearchTally& tally = experiment.tally;
  if (tally.splits == 0)
    return fmt::format("no way to split the model over at most {} GPUs is known; raise --total-gpus",
                       request.total_gpus);
  if (tally.least_ttft_ms || tally.least_tpot_ms) {
    const auto least = [](const std::optional<double>& ms) {
      return ms ? fmt::format("{:.4g} ms", *ms) : "unknown";
    };
    const std::string limits =
        request.request_latency_ms
            ? fmt::format("a request may take {:.4g} ms; relax --request-latency",
                          *request.request_latency_ms)
            : fmt::format("the limits are {:.4g} and {:.4g} ms; relax --ttft or --tpot",
                          request.target.ttft_ms, request.target.tpot_ms);
    return fmt::format("latency: the least TTFT is {} and the least TPOT {}, {}, or shorten the requests",
                       least(tally.least_ttft_ms), least(tally.least_tpot_ms), limits);
  }
  if (count(tally, Refusal::Kind::no_data) > 0)
    return "missing data: " + first_reason(tally, Refusal::Kind::no_data);
  if (count(tally, Refusal::Kind::cache_too_small) > 0)
    return "memory: " + first_reason(tally, Refusal::Kind::cache_too_small) +
           "; shorten --isl and --osl, or raise --free-gpu-memory-fraction";
  if (count(tally, Refusal::Kind::weights_do_not_fit) > 0)
    return "memory: " + first_reason(tally, Refusal::Kind::weights_do_not_fit) +
           "; raise --total-gpus or take a quantised model";
  return first_reason(tally, Refusal::Kind::cannot_be_split);
}

Experiment run_experiment(estimate::Session& session, const SearchRequest& request,
                          estimate::Framework framework, bool aggregated) {
  Experiment experiment{
      .name = aggregated ? "agg" : "disagg", .framework = framework, .aggregated = aggregated};
  if (request.frameworks.size() > 1) experiment.name += fmt::format("_{}", name_of(framework));
  experiment.version = session.open(request.system, framework, request.version, request.view.mode).version;
  const bool simulated = request.step_model == StepModel::simulation;
  const std::vector<LatencyTarget> targets = simulated ? loosened(targets_of(request)) : targets_of(request);
  const SweepContext context{session, request, framework, targets};
  if (aggregated)
    sweep_aggregated(context, experiment);
  else
    sweep_disaggregated(context, experiment);
  if (simulated) judge_by_simulation(context, experiment);
  rank(request, experiment);
  if (experiment.found.empty()) experiment.nothing = why_nothing(request, experiment);
  return experiment;
}

/// An experiment that cannot run at all says so instead of ending the others.
Experiment try_experiment(estimate::Session& session, const SearchRequest& request,
                          estimate::Framework framework, bool aggregated) {
  if (request.frameworks.size() == 1) return run_experiment(session, request, framework, aggregated);
  try {
    return run_experiment(session, request, framework, aggregated);
  } catch (const UsageError& error) {
    return {.name = fmt::format("{}_{}", aggregated ? "agg" : "disagg", name_of(framework)),
            .framework = framework,
            .aggregated = aggregated,
            .nothing = error.what()};
  }
}

/// The experiment whose first pick has the highest cluster throughput; one that exceeds its limit only for want of
/// others.
std::optional<size_t> choose(const std::vector<Experiment>& experiments) {
  std::optional<size_t> best;
  const auto quality = [&](size_t i) {
    const Experiment& e = experiments[i];
    return std::pair(!e.picks.limit_exceeded, e.found[e.picks.rows[0]].cluster_tokens_per_s_gpu);
  };
  for (size_t i = 0; i < experiments.size(); ++i)
    if (!experiments[i].picks.rows.empty() && (!best || quality(i) > quality(*best))) best = i;
  return best;
}

void need_positive(double value, const char* flag) {
  if (!(value > 0) || !std::isfinite(value))
    throw UsageError(fmt::format("{} must be a positive number, not {}", flag, value));
}

}  // namespace

void check_request(const SearchRequest& request) {
  const estimate::Workload& w = request.workload;
  need_positive(double(w.isl), "--isl");
  need_positive(double(w.osl), "--osl");
  for (const auto& [tokens, flag] : {std::pair{w.isl, "--isl"}, {w.osl, "--osl"}})
    if (tokens > estimate::kMostTokensAsked)
      throw UsageError(fmt::format("{} {} must be at most {}", flag, tokens, estimate::kMostTokensAsked));
  if (request.limits.max_seq_len) need_positive(double(*request.limits.max_seq_len), "--max-seq-len");
  if (w.prefix < 0 || w.prefix >= w.isl)
    throw UsageError(fmt::format("--prefix {} must be at least 0 and less than --isl {}", w.prefix, w.isl));
  need_positive(request.target.ttft_ms, "--ttft");
  if (request.request_latency_ms) {
    need_positive(*request.request_latency_ms, "--request-latency");
    if (w.osl < 2) throw UsageError("--request-latency needs --osl of at least 2");
  } else {
    need_positive(request.target.tpot_ms, "--tpot");
  }
  if (request.total_gpus < 1)
    throw UsageError(fmt::format("--total-gpus must be at least 1, not {}", request.total_gpus));
  if (request.step_model == StepModel::formulas &&
      (request.ttft_statistic != Statistic::mean || request.tpot_statistic != Statistic::mean))
    throw UsageError("the formulas know no percentiles; give --step-model sim, or limits on the means");
  if (request.top_n < 1) throw UsageError("--top-n must be at least 1");
  if (request.drafted_tokens < 0) throw UsageError("--nextn must be at least 0");
  if (w.accepted < 0 || w.accepted > double(request.drafted_tokens))
    throw UsageError(fmt::format("--nextn-accepted {} must lie between 0 and --nextn {}", w.accepted,
                                 request.drafted_tokens));
  if (!request.aggregated && request.total_gpus < 2)
    throw UsageError("disaggregated serving needs --total-gpus of at least 2");
  if (request.frameworks.empty()) throw UsageError("no back end to search; give --backend");
  if (!request.version.empty() && request.frameworks.size() > 1)
    throw UsageError("--backend-version names a version of one back end; give one --backend");
}

SearchResult run_search(estimate::Session& session, const SearchRequest& request) {
  check_request(request);
  const auto start = std::chrono::steady_clock::now();
  const auto model = session.model(request.model);
  const int64_t longest = request.workload.isl + request.workload.osl;
  if (longest > std::max(model->sizes().max_context, request.limits.max_seq_len.value_or(0)))
    throw UsageError(fmt::format(
        "{0} holds {1} tokens, --isl {2} and --osl {3} need {4}; shorten them, or give "
        "--max-seq-len {4} if the engine takes them",
        request.model, model->sizes().max_context, request.workload.isl, request.workload.osl, longest));
  SearchResult result{.request = request};
  for (const bool aggregated : {true, false}) {
    if (!(aggregated ? request.aggregated : request.disaggregated && request.total_gpus >= 2)) continue;
    for (const estimate::Framework framework : request.frameworks)
      result.experiments.push_back(try_experiment(session, request, framework, aggregated));
  }
  result.chosen = choose(result.experiments);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

RecommendResult run_recommend(estimate::Session& session, SearchRequest request, const LoadTarget& load) {
  const int node = session.root().system(request.system).gpus_per_node;
  request.strict = true;
  RecommendResult result;
  for (int gpus = node; gpus <= std::max(node, kMostRecommendedWorkerGpus); gpus *= 2) {
    request.total_gpus = gpus;
    result.search = run_search(session, request);
    bool memory_binds = false;
    for (const Experiment& e : result.search.experiments)
      memory_binds |= e.found.empty() && (count(e.tally, Refusal::Kind::weights_do_not_fit) > 0 ||
                                          count(e.tally, Refusal::Kind::cache_too_small) > 0);
    if (!memory_binds) break;
  }
  std::vector<std::pair<LoadMatch, size_t>> all;
  for (size_t i = 0; i < result.search.experiments.size(); ++i) {
    std::vector<PickRow> rows;
    for (const Found& f : result.search.experiments[i].found) rows.push_back(pick_row(f));
    const PickRules rules{.tpot_ms = request.target.tpot_ms,
                          .request_latency_ms = request.request_latency_ms,
                          .strict = true,
                          .top_n = request.top_n};
    for (const LoadMatch& match : match_load(rows, rules, load)) all.emplace_back(match, i);
  }
  std::stable_sort(all.begin(), all.end(), [&](const auto& a, const auto& b) {
    if (a.first.gpus != b.first.gpus) return a.first.gpus < b.first.gpus;
    const auto per_gpu = [&](const auto& x) {
      return result.search.experiments[x.second].found[x.first.row].tokens_per_s_gpu;
    };
    return per_gpu(a) > per_gpu(b);
  });
  for (const auto& [match, experiment] : all) {
    if (result.matches.size() == request.top_n) break;
    result.matches.push_back(match);
    result.experiments.push_back(experiment);
  }
  return result;
}

}  // namespace perfatlas
