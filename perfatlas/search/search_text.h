// SPDX-License-Identifier: Apache-2.0
// Results of searches for people and machines.
#pragma once

#include <string>

#include "perfatlas/search/search.h"

namespace perfatlas {

/// Question, chosen configuration with origin and memory, plot, a table per experiment, reasons where none was found.
std::string search_text(const SearchResult& result);

/// The table of a recommendation, its best row explained.
std::string recommend_text(const RecommendResult& result, const LoadTarget& load);

/// The same for machines: one JSON object, ended by "\n".
std::string recommend_json(const RecommendResult& result);

/// Why the chosen configuration won, or why nothing was found: per experiment what bound the search (memory, data,
/// TTFT, TPOT) with the number of splits, and the nearest feasible limits.
std::string explain_text(const SearchResult& result);

/// One JSON object with every pick and the frontier, columns as in result tables; ended by "\n".
std::string search_json(const SearchResult& result);

/// Where the latency of one request of a configuration comes from.
estimate::Origin origin_of(const Found& found);

/// "62 % measured, 30 % formula, ...": parts above half a percent.
std::string origin_text(const estimate::Origin& origin);

/// How far the prices behind a configuration's latencies may be off (estimate::Spread).
std::string spread_text(const Found& found, const estimate::Workload& workload);

/// Memory of one GPU, "prefill" and "decode" apart: "weights 15.3 + KV cache 10.0 + ... = 39.1 of 141.0 GiB".
std::string memory_text(const Found& found);

/// "tp8pp1dp1etp1ep1 batch 28" or "8 x tp1... batch 1 -> 3 x tp8... batch 44".
std::string choice_text(const Found& found);

/// One sentence: what the chosen configuration beats, and by how much.
std::string why_chosen(const SearchResult& result);

}  // namespace perfatlas
