// SPDX-License-Identifier: Apache-2.0
// The small plan: of each family only the share that is known to be enough, spread first.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/collect/case_store.h"
#include "perfatlas/collect/plan_place.h"
#include "perfatlas/points/order_cache.h"

namespace perfatlas {

/// How much of each family is measured.
struct SmallPlanOptions {
  std::map<std::string, double> shares;  // op id -> share above 0, at most 1; of others small_plan_share()
  bool has_prior = false;                // an older table tells the rest: smaller shares
  OrderCache cache{{}};
};

/// The share that reaches the error of a full grid on published tables (docs/small-plan.md): gemm 0.1, attention 0.1,
/// moe 0.4, mla_* all; with a prior gemm 0.1, attention 0.01, moe 0.1, mla_* all. Ops without evidence: 0.4.
double small_plan_share(std::string_view op, bool has_prior);

/// Throws UsageError when a share is not above 0 and at most 1 or an op is unknown.
void check_shares(const SmallPlanOptions& options, const std::vector<std::string>& known_ops);

struct SmallOrder {
  std::vector<uint32_t> order;  // store indices in measuring order
  std::vector<std::optional<PlanPlace>>
      places;  // by position in `order`; nothing for shapes of models that are added
};

/// The cases of a small plan. Store indices; those of one op are adjacent, grid first.
struct SmallCases {
  std::vector<uint32_t> distinct;  // ascending, no case twice
  std::vector<uint32_t>
      grid_end;  // by CaseStore::ops() number: the op's indices from here on are only shapes of models
  std::vector<uint32_t> of_models;  // ascending, among `distinct`: also or only shapes of models
};

/// Families take turns so that each is measured to the same share of its own places at any moment; then come the shapes
/// of models that are not among them.
SmallOrder small_order(const CaseStore& store, const SmallCases& cases, const SmallPlanOptions& options);

}  // namespace perfatlas
