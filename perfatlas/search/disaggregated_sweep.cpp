// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "perfatlas/base/parallel.h"
#include "perfatlas/search/frontier.h"
#include "perfatlas/search/match.h"
#include "perfatlas/search/sweep_impl.h"

namespace perfatlas {
namespace {

// Prefill and decode workers are slower side by side than alone; a request waits for a prefill worker.
// Values of aiconfigurator 0.12.
constexpr double kPrefillCorrection = 1.1, kDecodeCorrection = 1.08, kTtftFactor = 1.8;
constexpr size_t kPrefillCandidates = 32, kDecodeCandidatesPerSplit = 16, kKeptPerTarget = 5;
constexpr int kMostReplicaGpus = 128, kMostWideReplicaGpus = 512;

/// A worker of one pool with one batch, its figures rounded as tables print them.
struct Candidate {
  DisaggregatedChoice::Pool pool;
  double requests_per_s = 0, requests_per_s_gpu = 0, ttft_ms = 0, tpot_ms = 0, tokens_per_s_user = 0;
  int gpus = 0;
  std::string parallel;
  int64_t tp = 1;
  bool wide = false;  // its experts span nodes
  int64_t global_batch = 1;
};

Candidate candidate_of(DisaggregatedChoice::Pool pool) {
  const estimate::Figures& f = pool.result.figures;
  const estimate::Deployment& d = pool.worker->deployment();
  Candidate c{.requests_per_s = round3(f.requests_per_s),
              .requests_per_s_gpu = round3(f.requests_per_s_gpu),
              .ttft_ms = round3(f.ttft_ms),
              .tpot_ms = round3(f.tpot_ms),
              .tokens_per_s_user = round3(f.tokens_per_s_user),
              .gpus = int(d.parallel.gpus()),
              .parallel = d.parallel.label(),
              .tp = d.parallel.tp,
              .wide = d.transport.used(),
              .global_batch = pool.batch * d.parallel.dp};
  c.pool = std::move(pool);
  return c;
}

/// aiconfigurator 0.12 gives the sequences of disaggregated workers the tokens that they need, whatever --max-seq-len.
estimate::MemoryLimits pool_limits(const SearchRequest& request) {
  estimate::MemoryLimits limits = request.limits;
  if (request.step_model == StepModel::formulas) limits.max_seq_len.reset();
  return limits;
}

/// Batches of one split, ascending, up to the first that does not fit.
std::vector<Candidate> candidates_of_split(const SweepContext& context, WorkerRole role,
                                           const estimate::Parallel& ranks, const std::string& version,
                                           SearchTally& tally) {
  const auto worker = find_worker(context, role, ranks, tally);
  if (!worker) return {};
  const bool prefill = role == WorkerRole::prefill;
  const estimate::MemoryLimits limits = pool_limits(context.request);
  std::vector<Candidate> found;
  estimate::Fit fit = estimate::Fit::fits;
  for (const int batch : prefill ? std::vector<int>{1} : decode_batches()) {
    const estimate::StaticPoint point{
        .mode = prefill ? estimate::StaticMode::context : estimate::StaticMode::generation,
        .batch = batch,
        .correction = prefill ? kPrefillCorrection : kDecodeCorrection};
    auto result = run_static(*worker, context.request.workload, point, limits, version);
    if (!result.ok()) {
      ++tally.without_data;
      continue;
    }
    ++tally.points;
    fit = result.fit;
    if (fit != estimate::Fit::fits) {
      ++tally.beyond_memory;
      break;
    }
    if (prefill)
      note_least(tally.least_ttft_ms, kTtftFactor * result.figures.ttft_ms);
    else
      note_least(tally.least_tpot_ms, result.figures.tpot_ms);
    found.push_back(candidate_of({worker, version, batch, 1, std::move(result)}));
  }
  if (found.empty()) {
    const Refusal::Kind kind = fit == estimate::Fit::does_not_fit         ? Refusal::Kind::weights_do_not_fit
                               : fit == estimate::Fit::kv_cache_too_small ? Refusal::Kind::cache_too_small
                                                                          : Refusal::Kind::no_data;
    tally.refusals.push_back(
        {ranks.label(), role, kind, why_split_gives_nothing(*worker, context.request, kind, version)});
  }
  return found;
}

std::vector<Candidate> candidates_of_role(const SweepContext& context, WorkerRole role,
                                          const std::string& version, SearchTally& tally) {
  const std::vector<estimate::Parallel> splits = splits_of(context, role);
  std::vector<std::vector<Candidate>> found(splits.size());
  std::vector<SearchTally> tallies(splits.size());
  for_each_parallel(splits.size(), [&](size_t i) {
    tallies[i].splits = 1;
    found[i] = candidates_of_split(context, role, splits[i], version, tallies[i]);
  });
  std::vector<Candidate> all;
  for (size_t i = 0; i < splits.size(); ++i) {
    merge(tally, tallies[i]);
    std::move(found[i].begin(), found[i].end(), std::back_inserter(all));
  }
  return all;
}

/// Positions sorted by requests per second and GPU, most first; equals by `then`, ascending.
template <class Then>
void sort_by_rate(std::vector<size_t>& positions, const std::vector<Candidate>& candidates, Then then) {
  std::stable_sort(positions.begin(), positions.end(), [&](size_t a, size_t b) {
    const Candidate &x = candidates[a], &y = candidates[b];
    if (x.requests_per_s_gpu != y.requests_per_s_gpu) return x.requests_per_s_gpu > y.requests_per_s_gpu;
    return then(x) < then(y);
  });
}

void keep_first(std::vector<size_t>& positions, size_t count) {
  if (positions.size() > count) positions.resize(count);
}

/// One prefill and one decode candidate with their worker counts.
struct Pair {
  size_t prefill = 0, decode = 0;
  WorkerCounts counts;
  int gpus = 0;
  double tokens_per_s_gpu = 0;
};

class PairSweep {
 public:
  PairSweep(const SweepContext& context, std::vector<Candidate> prefill, std::vector<Candidate> decode)
      : context_(context), prefill_(std::move(prefill)), decode_(std::move(decode)) {
    const auto wide = [](const Candidate& c) { return c.wide; };
    const bool any_wide = std::any_of(prefill_.begin(), prefill_.end(), wide) ||
                          std::any_of(decode_.begin(), decode_.end(), wide);
    rules_.replica_gpus = replica_sizes(
        std::min(context.request.total_gpus, any_wide ? kMostWideReplicaGpus : kMostReplicaGpus), any_wide);
    counts_.resize(prefill_.size() * decode_.size());
    for (size_t i = 0; i < decode_.size(); ++i) by_parallel_[decode_[i].parallel].push_back(i);
  }

  /// The best pair of each decode split under one target, best first.
  std::vector<Pair> best(const LatencyTarget& target) {
    std::vector<size_t> prefill;
    for (size_t i = 0; i < prefill_.size(); ++i)
      if (prefill_[i].ttft_ms * kTtftFactor < target.ttft_ms) prefill.push_back(i);
    sort_by_rate(prefill, prefill_, [](const Candidate& c) { return c.global_batch; });
    keep_first(prefill, kPrefillCandidates);
    std::vector<Pair> best;
    for (const auto& [parallel, members] : by_parallel_)
      if (const auto pair = best_of_split(prefill, members, target)) best.push_back(*pair);
    std::stable_sort(best.begin(), best.end(), [](const Pair& a, const Pair& b) {
      return round3(a.tokens_per_s_gpu) > round3(b.tokens_per_s_gpu);
    });
    if (best.size() > kKeptPerTarget) best.resize(kKeptPerTarget);
    return best;
  }

  Found found_of(const Pair& pair) const {
    const Candidate &p = prefill_[pair.prefill], &d = decode_[pair.decode];
    const double osl = double(context_.request.workload.osl);
    const double rate = rate_of(p, d, pair.counts), ttft = p.ttft_ms * kTtftFactor;
    Found found{.ttft_ms = round3(ttft),
                .tpot_ms = d.tpot_ms,
                .request_latency_ms = round3(ttft + d.tpot_ms * std::max(osl - 1, 0.0)),
                .requests_per_s = round3(rate),
                .tokens_per_s_gpu = round3(pair.tokens_per_s_gpu),
                .tokens_per_s_user = d.tokens_per_s_user,
                .concurrency = d.pool.result.figures.concurrency * pair.counts.decode,
                .replica_gpus = pair.gpus,
                .parallel = d.parallel};
    found.cluster_tokens_per_s_gpu =
        cluster_throughput(found.tokens_per_s_gpu, found.replica_gpus, context_.request.total_gpus);
    DisaggregatedChoice choice{p.pool, d.pool};
    choice.prefill.workers = pair.counts.prefill;
    choice.decode.workers = pair.counts.decode;
    found.choice = std::move(choice);
    return found;
  }

 private:
  double rate_of(const Candidate& p, const Candidate& d, const WorkerCounts& counts) const {
    return replica_requests_per_s({p.requests_per_s, p.gpus}, {d.requests_per_s, d.gpus}, counts, rules_);
  }

  std::optional<Pair> best_of_split(const std::vector<size_t>& prefill, const std::vector<size_t>& members,
                                    const LatencyTarget& target) {
    std::vector<size_t> decode;
    for (const size_t i : members)
      if (decode_[i].tpot_ms > 0 && decode_[i].tpot_ms < target.tpot_ms) decode.push_back(i);
    sort_by_rate(decode, decode_, [](const Candidate&) { return 0; });
    keep_first(decode, kDecodeCandidatesPerSplit);
    std::optional<Pair> best;
    for (const size_t d : decode)
      for (const size_t p : prefill)
        if (const auto pair = pair_of(p, d))
          if (!best || pair->tokens_per_s_gpu > best->tokens_per_s_gpu ||
              (pair->tokens_per_s_gpu == best->tokens_per_s_gpu && pair->gpus < best->gpus))
            best = pair;
    return best;
  }

  std::optional<Pair> pair_of(size_t p, size_t d) {
    const Candidate &prefill = prefill_[p], &decode = decode_[d];
    // SGLang moves a KV cache only between workers that share it out alike, unless a side spreads its experts.
    if (context_.framework == estimate::Framework::sglang && prefill.tp != decode.tp && !prefill.wide &&
        !decode.wide)
      return std::nullopt;
    const std::optional<WorkerCounts>& counts = match(p, d);
    if (!counts) return std::nullopt;
    Pair pair{p, d, *counts, prefill.gpus * counts->prefill + decode.gpus * counts->decode, 0};
    pair.tokens_per_s_gpu =
        rate_of(prefill, decode, *counts) * double(context_.request.workload.osl) / pair.gpus;
    return pair;
  }

  /// The counts do not depend on the target: found once per pair.
  const std::optional<WorkerCounts>& match(size_t p, size_t d) {
    auto& known = counts_[p * decode_.size() + d];
    if (!known)
      known = match_workers({prefill_[p].requests_per_s, prefill_[p].gpus},
                            {decode_[d].requests_per_s, decode_[d].gpus}, rules_);
    return *known;
  }

  const SweepContext& context_;
  std::vector<Candidate> prefill_, decode_;
  std::map<std::string, std::vector<size_t>>
      by_parallel_;  // positions in decode_, in the order of its labels
  MatchRules rules_;
  std::vector<std::optional<std::optional<WorkerCounts>>>
      counts_;  // by prefill, then decode; empty: not yet asked
};

}  // namespace

void sweep_disaggregated(const SweepContext& context, Experiment& experiment) {
  auto prefill = candidates_of_role(context, WorkerRole::prefill, experiment.version, experiment.tally);
  auto decode = candidates_of_role(context, WorkerRole::decode, experiment.version, experiment.tally);
  PairSweep sweep(context, std::move(prefill), std::move(decode));
  std::map<std::pair<size_t, size_t>, bool> seen;
  for (const LatencyTarget& target : context.targets)
    for (const Pair& pair : sweep.best(target))
      if (seen.emplace(std::pair(pair.prefill, pair.decode), true).second)
        experiment.found.push_back(sweep.found_of(pair));
}

}  // namespace perfatlas
