// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/simulated.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "perfatlas/base/error.h"
#include "perfatlas/base/parallel.h"
#include "perfatlas/pricing/worker_prices.h"
#include "perfatlas/search/frontier.h"
#include "perfatlas/serving/closed_form.h"
#include "perfatlas/serving/constants.h"
#include "perfatlas/serving/request_path.h"

namespace perfatlas {
namespace {

constexpr double kLoosened = 5;            // of the TTFT limit, for the formulas
constexpr double kFarBeyond = 2;           // times a limit: what the closed form drops
constexpr size_t kMostDisaggregated = 48;  // rows that are simulated, best first

/// One engine's cases.
class Judge {
 public:
  Judge(const SweepContext& context, Experiment& experiment) : context_(context) {
    make_tables(experiment);
    const bool sglang = context.framework == estimate::Framework::sglang;
    // Real runs of constant lengths lose lock step, except on SGLang, which locks again by design.
    ratio_ = sglang ? 1.0 : kPhaseLockRatio.value;
  }

  /// Nothing for a row that is far beyond the limits or without prices.
  std::optional<Found> judge(const Found& found) const {
    if (const auto* choice = std::get_if<AggregatedChoice>(&found.choice)) return aggregated(found, *choice);
    return disaggregated(found, std::get<DisaggregatedChoice>(found.choice));
  }

 private:
  void make_tables(const Experiment& experiment) {
    std::vector<const estimate::Worker*> workers;
    const auto note = [&](const estimate::Worker* worker) {
      if (tables_.try_emplace(worker).second) workers.push_back(worker);
    };
    for (const Found& f : experiment.found) {
      if (const auto* choice = std::get_if<AggregatedChoice>(&f.choice)) {
        note(choice->worker.get());
      } else {
        const auto& pools = std::get<DisaggregatedChoice>(f.choice);
        note(pools.prefill.worker.get());
        note(pools.decode.worker.get());
      }
    }
    for_each_parallel(workers.size(), [&](size_t i) {
      try {
        tables_.find(workers[i])->second = worker_prices(*workers[i], {});
      } catch (const UsageError&) {  // a step without a price: its rows are dropped
      }
    });
  }

  const PriceTables* tables(const std::shared_ptr<const estimate::Worker>& worker) const {
    const auto& made = tables_.find(worker.get())->second;
    return made ? &*made : nullptr;
  }

  Workload workload(int64_t users) const {
    const auto& w = context_.request.workload;
    return {.input = {w.isl, ratio_}, .output = {w.osl, ratio_}, .arrivals = ClosedLoop{.users = users}};
  }

  bool far_beyond(const ClosedFormTimes& times) const {
    const SearchRequest& r = context_.request;
    return times.ttft_ms > kFarBeyond * r.target.ttft_ms ||
           (!r.request_latency_ms && times.tpot_ms > kFarBeyond * r.target.tpot_ms);
  }

  std::optional<Found> aggregated(const Found& found, const AggregatedChoice& choice) const {
    const PriceTables* const prices = tables(choice.worker);
    if (prices == nullptr) return std::nullopt;
    const int64_t dp = choice.worker->deployment().parallel.dp;
    AggregatedCase served;
    served.setup.launch =
        make_launch(engine_of(context_.framework),
                    {.token_budget = choice.point.context_tokens, .max_running = choice.point.batch});
    served.setup.kv_capacity_tokens = kv_capacity_tokens(served.setup.launch, rank_memory(*choice.worker));
    served.setup.prices = prices;
    served.attention_dp = dp;
    served.step_overhead_ms = served.setup.launch.step_overhead_ms();
    served.workload = workload(choice.point.batch * dp);
    served.path = request_path(served.workload);
    if (far_beyond(closed_form(served))) return std::nullopt;
    return with_figures(found, simulate(served), double(choice.point.batch * dp));
  }

  std::optional<Found> disaggregated(const Found& found, const DisaggregatedChoice& choice) const {
    const PriceTables *const prefill = tables(choice.prefill.worker), *const decode =
                                                                          tables(choice.decode.worker);
    if (prefill == nullptr || decode == nullptr) return std::nullopt;
    const auto dp = [](const DisaggregatedChoice::Pool& pool) {
      return pool.worker->deployment().parallel.dp;
    };
    const int64_t users = choice.decode.batch * choice.decode.workers * dp(choice.decode);
    const DisaggregatedCase served{.prefill = {choice.prefill.workers, dp(choice.prefill), prefill},
                                   .decode = {choice.decode.workers, dp(choice.decode), decode},
                                   .path = disaggregated_path(),
                                   .workload = workload(users)};
    return with_figures(found, simulate(served), double(users));
  }

  /// Rates by Little's law from the mean latency: those of the steady state.
  Found with_figures(Found found, const SimulationResult& result, double users) const {
    const double requests_per_s = 1000 * users / result.latency_ms.mean;
    const double scale = found.requests_per_s > 0 ? requests_per_s / found.requests_per_s : 1;
    found.ttft_ms = round3(result.ttft_ms.mean);
    found.tpot_ms = round3(result.tpot_ms.mean);
    found.request_latency_ms = round3(result.latency_ms.mean);
    found.requests_per_s = round3(requests_per_s);
    found.tokens_per_s_gpu = round3(found.tokens_per_s_gpu * scale);
    found.tokens_per_s_user = round3(1000 / result.tpot_ms.mean);
    found.cluster_tokens_per_s_gpu =
        cluster_throughput(found.tokens_per_s_gpu, found.replica_gpus, context_.request.total_gpus);
    found.concurrency = users;
    found.simulated = SimulatedTimes{result.ttft_ms, result.tpot_ms};
    return found;
  }

  const SweepContext& context_;
  std::map<const estimate::Worker*, std::optional<PriceTables>> tables_;
  double ratio_ = 1;
};

void check_simulated(const SearchRequest& request) {
  if (request.workload.prefix > 0)
    throw UsageError("the simulation knows no cached prefixes; leave out --prefix or --step-model sim");
  if (request.drafted_tokens > 0)
    throw UsageError("the simulation knows no drafted tokens; leave out --nextn or --step-model sim");
  if (request.workload.osl < 2) throw UsageError("--step-model sim needs --osl of at least 2");
}

}  // namespace

std::vector<LatencyTarget> loosened(std::vector<LatencyTarget> targets) {
  for (LatencyTarget& target : targets) target.ttft_ms *= kLoosened;
  return targets;
}

void judge_by_simulation(const SweepContext& context, Experiment& experiment) {
  check_simulated(context.request);
  if (!experiment.aggregated && experiment.found.size() > kMostDisaggregated) {
    std::stable_sort(experiment.found.begin(), experiment.found.end(), [](const Found& a, const Found& b) {
      return a.cluster_tokens_per_s_gpu > b.cluster_tokens_per_s_gpu;
    });
    experiment.found.resize(kMostDisaggregated);
  }
  const Judge judge(context, experiment);
  std::vector<std::optional<Found>> judged(experiment.found.size());
  for_each_parallel(judged.size(), [&](size_t i) { judged[i] = judge.judge(experiment.found[i]); });
  experiment.found.clear();
  for (std::optional<Found>& found : judged)
    if (found &&
        value_of(found->simulated->ttft_ms, context.request.ttft_statistic) <= context.request.target.ttft_ms)
      experiment.found.push_back(std::move(*found));
}

}  // namespace perfatlas
