// SPDX-License-Identifier: Apache-2.0
// Orders kept between runs: the same cases give the same order, which for a large family takes seconds to find.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "perfatlas/points/family_order.h"

namespace perfatlas {

class OrderCache {
 public:
  /// `folder` is created when something is kept; empty: nothing is kept or found.
  explicit OrderCache(std::string folder) : folder_(std::move(folder)) {}
  /// $XDG_CACHE_HOME/perfatlas/orders, else $HOME/.cache/perfatlas/orders, else nowhere.
  static OrderCache of_user();

  /// family_order(), from the cache when it is there. An unreadable or damaged entry is made anew; a cache that cannot
  /// be written costs time, not correctness.
  std::vector<OrderPlace> order(const SizeSpace& space, const FamilyCases& cases,
                                const OrderLimits& limits) const;

 private:
  std::optional<std::vector<OrderPlace>> find(const std::string& path, size_t picks, size_t cases) const;

  std::string folder_;
};

}  // namespace perfatlas
