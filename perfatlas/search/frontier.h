// SPDX-License-Identifier: Apache-2.0
// The Pareto frontier of a search: configurations that no other one beats in both speed for the user and throughput.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace perfatlas {

struct FrontierPoint {
  double speed = 0;       // tokens/s/user, or another figure of which more (or, see below, less) is better
  double throughput = 0;  // tokens/s/gpu of the whole cluster: more is better
};

enum class Better { more, less };

/// Positions in `points` of those that are not dominated, by ascending speed. A point is dominated when another one is
/// at least as good in both figures; of equal points the first stays. Points with a figure that is no finite number
/// never count.
std::vector<size_t> pareto_frontier(std::span<const FrontierPoint> points, Better speed = Better::more);

/// Throughput per GPU when `replica_gpus` of `budget` GPUs form a replica and the rest of the division idles.
double cluster_throughput(double tokens_per_s_per_gpu, int replica_gpus, int budget);

}  // namespace perfatlas
