// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <set>

#include "perfatlas/base/parallel.h"
#include "perfatlas/search/frontier.h"
#include "perfatlas/search/sweep_impl.h"

namespace perfatlas {
namespace {

constexpr size_t kKeptPerSplitAndTarget = 10;

/// Floor of a quotient as Python's // computes it: exact multiples whose division rounds below do not lose one.
double floor_quotient(double dividend, double divisor) {
  const double whole = (dividend - std::fmod(dividend, divisor)) / divisor;
  const double down = std::floor(whole);
  return whole - down > 0.5 ? down + 1 : down;
}

/// A point and its figures as tables print them.
struct Point {
  AggregatedChoice choice;
  double requests_per_s = 0;  // rounded
};

/// All points of one split.
class SplitSweep {
 public:
  SplitSweep(const SweepContext& context, std::shared_ptr<const estimate::Worker> worker, std::string version,
             SearchTally& tally)
      : context_(context), worker_(std::move(worker)), version_(std::move(version)), tally_(tally) {}

  std::vector<Point> run() {
    const auto& workload = context_.request.workload;
    const std::vector<int> budgets = context_token_budgets(
        {.isl = int(workload.isl), .chunked_prefill = context_.request.chunked_prefill});
    for (const int batch : aggregated_batches())
      for (const int budget : budgets) {
        const int prompts = int(std::ceil(double(budget) / double(workload.isl)));
        if (batch < prompts || (batch > 1 && batch - prompts < 1)) break;
        if (repeats_an_earlier_schedule(batch, budget)) continue;
        if (!price(batch, budget)) break;  // a larger budget needs more memory still
      }
    return std::move(points_);
  }

 private:
  /// Where prompts outlast decodes, the decodes of a mixed step do not depend on the batch: one batch stands for all.
  bool repeats_an_earlier_schedule(int batch, int budget) {
    const auto& workload = context_.request.workload;
    if (workload.tokens_per_iteration() != 1) return false;
    const double balance = double(workload.isl) * batch / budget / double(workload.osl);
    if (balance <= 1) return false;
    const double decodes = floor_quotient(batch, balance);
    return !decodes_seen_.insert(decodes).second && decodes > 1;
  }

  /// False when the point does not fit.
  bool price(int batch, int budget) {
    Point point{.choice = {worker_, version_, {.batch = batch, .context_tokens = budget}, {}}};
    point.choice.result = run_aggregated(*worker_, context_.request.workload, point.choice.point,
                                         context_.request.limits, version_);
    const estimate::AggregatedResult& result = point.choice.result;
    if (!result.ok()) {
      ++tally_.without_data;
      return true;
    }
    ++tally_.points;
    if (result.fit != estimate::Fit::fits) {
      ++tally_.beyond_memory;
      fit_seen_ = std::max(fit_seen_, result.fit == estimate::Fit::kv_cache_too_small ? 1 : 0);
      return false;
    }
    note_least(tally_.least_ttft_ms, result.figures.ttft_ms);
    note_least(tally_.least_tpot_ms, result.figures.tpot_ms);
    point.requests_per_s = round3(result.figures.requests_per_s);
    points_.push_back(std::move(point));
    return true;
  }

  const SweepContext& context_;
  std::shared_ptr<const estimate::Worker> worker_;
  std::string version_;
  SearchTally& tally_;
  std::set<double> decodes_seen_;
  std::vector<Point> points_;
  int fit_seen_ = 0;

 public:
  /// Why run() gave nothing.
  Refusal::Kind why_nothing() const {
    if (tally_.beyond_memory == 0) return Refusal::Kind::no_data;
    return fit_seen_ > 0 ? Refusal::Kind::cache_too_small : Refusal::Kind::weights_do_not_fit;
  }
};

/// Positions of the points that some target keeps, in the order in which targets name them.
std::vector<size_t> kept_points(const std::vector<Point>& points, std::span<const LatencyTarget> targets) {
  std::vector<size_t> by_rate(points.size());
  for (size_t i = 0; i < points.size(); ++i) by_rate[i] = i;
  std::stable_sort(by_rate.begin(), by_rate.end(),
                   [&](size_t a, size_t b) { return points[a].requests_per_s > points[b].requests_per_s; });
  std::vector<size_t> kept;
  std::vector<bool> seen(points.size());
  for (const LatencyTarget& target : targets) {
    size_t left = kKeptPerSplitAndTarget;
    for (const size_t i : by_rate) {
      const estimate::Figures& figures = points[i].choice.result.figures;
      if (figures.tpot_ms > target.tpot_ms || figures.ttft_ms > target.ttft_ms) continue;
      if (!seen[i]) kept.push_back(i);
      seen[i] = true;
      if (--left == 0) break;
    }
  }
  return kept;
}

Found found_of(AggregatedChoice choice, int total_gpus) {
  const estimate::Figures& f = choice.result.figures;
  Found found{.ttft_ms = round3(f.ttft_ms),
              .tpot_ms = round3(f.tpot_ms),
              .request_latency_ms = round3(f.request_latency_ms),
              .requests_per_s = round3(f.requests_per_s),
              .tokens_per_s_gpu = round3(f.tokens_per_s_gpu),
              .tokens_per_s_user = round3(f.tokens_per_s_user),
              .concurrency = f.concurrency,
              .replica_gpus = int(choice.worker->deployment().parallel.gpus()),
              .parallel = choice.worker->deployment().parallel.label()};
  found.cluster_tokens_per_s_gpu = cluster_throughput(found.tokens_per_s_gpu, found.replica_gpus, total_gpus);
  found.choice = std::move(choice);
  return found;
}

std::vector<Found> sweep_split(const SweepContext& context, const estimate::Parallel& ranks,
                               const std::string& version, SearchTally& tally) {
  auto worker = find_worker(context, WorkerRole::aggregated, ranks, tally);
  if (!worker) return {};
  SplitSweep sweep(context, worker, version, tally);
  std::vector<Point> points = sweep.run();
  if (points.empty() && tally.refusals.empty())
    tally.refusals.push_back(
        {ranks.label(), WorkerRole::aggregated, sweep.why_nothing(),
         why_split_gives_nothing(*worker, context.request, sweep.why_nothing(), version)});
  std::vector<Found> found;
  for (const size_t i : kept_points(points, context.targets))
    found.push_back(found_of(std::move(points[i].choice), context.request.total_gpus));
  return found;
}

}  // namespace

void sweep_aggregated(const SweepContext& context, Experiment& experiment) {
  const std::vector<estimate::Parallel> splits = splits_of(context, WorkerRole::aggregated);
  std::vector<std::vector<Found>> found(splits.size());
  std::vector<SearchTally> tallies(splits.size());
  for_each_parallel(splits.size(), [&](size_t i) {
    tallies[i].splits = 1;
    found[i] = sweep_split(context, splits[i], experiment.version, tallies[i]);
  });
  for (size_t i = 0; i < splits.size(); ++i) {
    merge(experiment.tally, tallies[i]);
    std::move(found[i].begin(), found[i].end(), std::back_inserter(experiment.found));
  }
}

}  // namespace perfatlas
