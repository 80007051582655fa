// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/ground.h"

#include <algorithm>

namespace perfatlas::aic {

Ground combined(std::span<const Ground> parts) {
  Ground whole;
  double count = 0;
  for (const Ground& part : parts) {
    if (!part.rows.empty()) ++count;
    whole.kind = std::max(whole.kind, part.kind);
    whole.distance_octaves = std::max(whole.distance_octaves, part.distance_octaves);
    for (const RowShare& share : part.rows) {
      const auto same = std::find_if(whole.rows.begin(), whole.rows.end(), [&](const RowShare& other) {
        return other.table == share.table && other.row == share.row;
      });
      if (same == whole.rows.end())
        whole.rows.push_back(share);
      else
        same->weight += share.weight;
    }
  }
  for (RowShare& share : whole.rows) share.weight /= count;
  return whole;
}

}  // namespace perfatlas::aic
