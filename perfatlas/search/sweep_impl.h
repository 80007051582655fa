// SPDX-License-Identifier: Apache-2.0
// The two ways to serve, swept over all splits. Each point is priced once; all targets filter the same points.
#pragma once

#include <span>

#include "perfatlas/search/found.h"

namespace perfatlas {

/// What both sweeps need.
struct SweepContext {
  estimate::Session& session;
  const SearchRequest& request;
  estimate::Framework framework;
  std::span<const LatencyTarget> targets;
};

/// Fills found and tally.
void sweep_aggregated(const SweepContext& context, Experiment& experiment);
void sweep_disaggregated(const SweepContext& context, Experiment& experiment);

/// The splits of a role on a system that the request allows.
std::vector<estimate::Parallel> splits_of(const SweepContext& context, WorkerRole role);

/// The question for one split of a role.
estimate::WorkerQuestion worker_question(const SweepContext& context, WorkerRole role,
                                         const estimate::Parallel& ranks);

/// The worker of a split, or nothing with the refusal noted.
std::shared_ptr<const estimate::Worker> find_worker(const SweepContext& context, WorkerRole role,
                                                    const estimate::Parallel& ranks, SearchTally& tally);

/// One line for a split whose every point was refused: the memory that one request needs, or the data that is missing.
std::string why_split_gives_nothing(const estimate::Worker& worker, const SearchRequest& request,
                                    Refusal::Kind kind, const std::string& version);

/// Adds one split's tally to the whole.
void merge(SearchTally& all, const SearchTally& one);
void note_least(std::optional<double>& least, double value);

}  // namespace perfatlas
