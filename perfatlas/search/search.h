// SPDX-License-Identifier: Apache-2.0
// From a model, a machine and latency limits to the configurations that serve best.
#pragma once

#include "perfatlas/search/found.h"

namespace perfatlas {

/// Prices every split, batch and token budget once and filters them by all targets of the Pareto curve. A request
/// that nothing meets is no error: Experiment::nothing and Picks::limit_exceeded say so. Throws UsageError for a
/// request that makes no sense (sizes, limits, unknown model, system, framework or version) with what to change.
SearchResult run_search(estimate::Session& session, const SearchRequest& request);

/// The checks of run_search that need no tables. Throws UsageError.
void check_request(const SearchRequest& request);

/// What a smaller deployment must carry.
struct RecommendResult {
  SearchResult search;              // with the GPUs per worker that were needed
  std::vector<size_t> experiments;  // by entry of `matches`: position in search.experiments
  std::vector<LoadMatch> matches;   // fewest GPUs first; row is a position in that experiment's found
};

/// The fewest GPUs that serve a load within the limits. Workers of one node are tried first; twice as many GPUs only
/// while some configuration does not fit. Throws as run_search.
RecommendResult run_recommend(estimate::Session& session, SearchRequest request, const LoadTarget& load);

}  // namespace perfatlas
