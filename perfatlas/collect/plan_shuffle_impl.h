// SPDX-License-Identifier: Apache-2.0
// The distinct cases of one op in an order that every machine agrees on.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "perfatlas/collect/case_store.h"

namespace perfatlas {

/// By their mixed ids: combine_hashes(id, seed).
class Shuffle {
 public:
  /// REQUIRES: `own` is one of store.ops().
  Shuffle(const CaseStore& store, const CaseStore::OpCases& own, uint64_t seed);
  /// Store indices.
  std::vector<uint32_t> order() && { return std::move(order_); }
  /// The sum of the ids: of the same cases in any order the same.
  uint64_t hash() const { return hash_; }

 private:
  void take_part(const std::vector<uint32_t>& halves, uint64_t part, uint64_t parts);
  void take_distinct(std::span<const uint64_t> keys);

  const CaseStore& store_;
  const CaseStore::OpCases& own_;
  uint64_t seed_;
  std::vector<uint32_t> order_;
  uint64_t hash_ = 0;
};

}  // namespace perfatlas
