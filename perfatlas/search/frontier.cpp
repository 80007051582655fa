// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/frontier.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace perfatlas {

std::vector<size_t> pareto_frontier(std::span<const FrontierPoint> points, Better speed) {
  const auto goodness = [&](size_t i) { return speed == Better::more ? points[i].speed : -points[i].speed; };
  std::vector<size_t> order;
  for (size_t i = 0; i < points.size(); ++i)
    if (std::isfinite(points[i].speed) && std::isfinite(points[i].throughput)) order.push_back(i);
  // Best speed first, so that a point survives exactly when its throughput exceeds all before it.
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    if (goodness(a) != goodness(b)) return goodness(a) > goodness(b);
    return points[a].throughput > points[b].throughput;
  });
  std::vector<size_t> frontier;
  double best_throughput = -std::numeric_limits<double>::infinity();
  for (const size_t i : order)
    if (points[i].throughput > best_throughput) {
      best_throughput = points[i].throughput;
      frontier.push_back(i);
    }
  if (speed == Better::more) std::reverse(frontier.begin(), frontier.end());
  return frontier;
}

double cluster_throughput(double tokens_per_s_per_gpu, int replica_gpus, int budget) {
  return tokens_per_s_per_gpu * (budget / replica_gpus) * replica_gpus / budget;
}

}  // namespace perfatlas
