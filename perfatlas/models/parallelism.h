// SPDX-License-Identifier: Apache-2.0
// How a model is split over ranks.
#pragma once

#include <cstdint>
#include <vector>

namespace perfatlas {

/// Every rank holds 1/tp of the attention heads and dense layers, experts/moe_ep of the experts and 1/moe_tp of each of
/// these. Without data parallelism the same ranks do both: tp = moe_tp * moe_ep.
struct Parallelism {
  int64_t tp = 1;
  int64_t moe_tp = 1;
  int64_t moe_ep = 1;
  bool operator==(const Parallelism&) const = default;
};

/// Every way to split the experts over `tp` ranks, tensor parallelism first: {4,4,1}, {4,2,2}, {4,1,4}.
inline std::vector<Parallelism> splits_of(int64_t tp) {
  std::vector<Parallelism> splits;
  for (int64_t ep = 1; ep <= tp; ++ep)
    if (tp % ep == 0) splits.push_back({tp, tp / ep, ep});
  return splits;
}

}  // namespace perfatlas
