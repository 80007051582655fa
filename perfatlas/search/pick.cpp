// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/pick.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

double limited_figure(const PickRow& row, const PickRules& rules) {
  return rules.request_latency_ms ? row.request_latency_ms : row.tpot_ms;
}

double limit(const PickRules& rules) { return rules.request_latency_ms.value_or(rules.tpot_ms); }

std::vector<size_t> within_limit(std::span<const PickRow> rows, const PickRules& rules) {
  std::vector<size_t> kept;
  for (size_t i = 0; i < rows.size(); ++i)
    if (limited_figure(rows[i], rules) <= limit(rules)) kept.push_back(i);
  return kept;
}

/// More throughput; of equal throughput, faster for the user.
bool better(const PickRow& a, const PickRow& b) {
  if (a.cluster_tokens_per_s_gpu != b.cluster_tokens_per_s_gpu)
    return a.cluster_tokens_per_s_gpu > b.cluster_tokens_per_s_gpu;
  return a.tokens_per_s_user > b.tokens_per_s_user;
}

/// Of each kind the best row, the first of equals; in order of appearance.
std::vector<size_t> best_of_each_kind(std::span<const PickRow> rows, const std::vector<size_t>& among) {
  std::map<std::string_view, size_t> place;  // of a kind in `best`
  std::vector<size_t> best;
  for (const size_t i : among) {
    const auto [at, is_new] = place.emplace(rows[i].parallel, best.size());
    if (is_new)
      best.push_back(i);
    else if (better(rows[i], rows[best[at->second]]))
      best[at->second] = i;
  }
  return best;
}

}  // namespace

Picks pick_best(std::span<const PickRow> rows, const PickRules& rules) {
  Picks picks;
  std::vector<size_t> among = within_limit(rows, rules);
  if (among.empty() && !rules.strict && !rows.empty()) {
    picks.limit_exceeded = true;
    among.resize(rows.size());
    std::iota(among.begin(), among.end(), size_t{0});
  }
  picks.rows = best_of_each_kind(rows, among);
  std::stable_sort(picks.rows.begin(), picks.rows.end(), [&](size_t a, size_t b) {
    const PickRow &x = rows[a], &y = rows[b];
    if (picks.limit_exceeded && limited_figure(x, rules) != limited_figure(y, rules))
      return limited_figure(x, rules) < limited_figure(y, rules);
    if (x.cluster_tokens_per_s_gpu != y.cluster_tokens_per_s_gpu)
      return x.cluster_tokens_per_s_gpu > y.cluster_tokens_per_s_gpu;
    return rules.request_latency_ms ? x.request_latency_ms < y.request_latency_ms
                                    : x.tokens_per_s_user > y.tokens_per_s_user;
  });
  if (picks.rows.size() > rules.top_n) picks.rows.resize(rules.top_n);
  return picks;
}

std::vector<LoadMatch> match_load(std::span<const PickRow> rows, const PickRules& rules,
                                  const LoadTarget& load, std::optional<int> most_gpus) {
  std::vector<LoadMatch> matches;
  double fewest_uncountable = std::numeric_limits<double>::infinity();
  for (const size_t i : within_limit(rows, rules)) {
    const PickRow& row = rows[i];
    const double share =
        load.requests_per_s ? *load.requests_per_s / row.requests_per_s : *load.concurrency / row.concurrency;
    if (!std::isfinite(share)) continue;  // a replica that serves nothing
    const double needed = std::max(1.0, std::ceil(share)), gpus = needed * row.replica_gpus;
    if (!most_gpus && gpus > std::numeric_limits<int>::max()) {
      fewest_uncountable = std::min(fewest_uncountable, gpus);
      continue;
    }
    LoadMatch match{i, 0, 0, 1};
    if (most_gpus && gpus > *most_gpus) {
      match.replicas = *most_gpus / row.replica_gpus;
      match.served_share = match.replicas / share;
    } else {
      match.replicas = int(needed);
    }
    match.gpus = match.replicas * row.replica_gpus;
    if (match.replicas > 0) matches.push_back(match);
  }
  if (matches.empty() && std::isfinite(fewest_uncountable))
    throw UsageError(
        fmt::format("that load needs {:.3g} GPUs; give what a cluster can carry", fewest_uncountable));
  std::stable_sort(matches.begin(), matches.end(), [&](const LoadMatch& a, const LoadMatch& b) {
    if (a.served_share != b.served_share) return a.served_share > b.served_share;
    if (a.gpus != b.gpus) return a.gpus < b.gpus;
    return rows[a.row].tokens_per_s_gpu > rows[b.row].tokens_per_s_gpu;
  });
  if (matches.size() > rules.top_n) matches.resize(rules.top_n);
  return matches;
}

}  // namespace perfatlas
