// SPDX-License-Identifier: Apache-2.0
// Which cases to measure, in which order. A plan of a million cases takes a few dozen megabytes.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "perfatlas/collect/case_store.h"
#include "perfatlas/collect/shard.h"
#include "perfatlas/collect/small_plan.h"
#include "perfatlas/schema/model_shapes.h"
#include "perfatlas/schema/registry.h"

namespace perfatlas {

enum class GridKind {
  model,  // shapes of real models x token, batch and sequence ladders
  aic,    // the published aiconfigurator grid
};

template <>
inline constexpr auto kEnumNames<GridKind> =
    std::array{EnumName<GridKind>{GridKind::model, "model"}, EnumName<GridKind>{GridKind::aic, "aic"}};

enum class PlanKind {
  full,   // every case
  small,  // of each family the share that tells the rest, in an order that is useful wherever it is cut
};

template <>
inline constexpr auto kEnumNames<PlanKind> =
    std::array{EnumName<PlanKind>{PlanKind::full, "full"}, EnumName<PlanKind>{PlanKind::small, "small"}};

/// Cases whose number field is larger are left out; ops without the field are not concerned.
struct FieldLimit {
  std::string field;  // column or flag
  int64_t most = 0;
};

struct PlanRequest {
  std::vector<std::string> ops;  // ids; empty: every op that can be measured and has cases in this grid ...
  std::optional<std::set<std::string>> among;  // ... and is one of these, when given
  GridKind grid = GridKind::model;
  bool imported_too = false;  // named ops without operands are planned, too: to count, not to measure
  ModelShapes shapes;         // for GridKind::model, and for add_models
  bool add_models = false;    // a small plan of another grid ends with `shapes`
  AicGrid aic;                // for GridKind::aic
  std::vector<std::string> case_filters;  // keep cases whose case_text contains any of them; empty: all
  std::vector<FieldLimit> at_most;
  uint64_t limit_per_op = 0;  // the first so many of each op in plan order; 0: all
  Shard shard;
  uint64_t seed = 42;  // of the order inside a level
  PlanKind kind = PlanKind::full;
  SmallPlanOptions small;
};

/// Cases in measuring order: coarse to fine, so that a collection stopped at any moment leaves tables that answer.
///   level 0: corners - along each axis the first or last value there is for the outer axes' values
///   level 1: one point per octave of each axis
///   level 2: the rest
/// A small plan has its own order (collect/small_plan.h): level 0 is spread, level 2 the shapes of models after it.
/// Sites of a sites table (see Resolver) are all level 0; only their curve has levels. Inside a level the cases of an
/// op are shuffled with the seed and the ops take turns.
class Plan {
 public:
  size_t size() const { return order_.size(); }
  /// The i-th case to measure. REQUIRES: i < size().
  Case at(size_t i) const { return store_.at(order_[i]); }
  int level(size_t i) const { return levels_[order_[i]]; }
  /// Equal to case_id(at(i)), several times faster.
  uint64_t id(size_t i) const { return store_.id(order_[i]); }
  /// The case's place in the static order of its family; nothing in a full plan and for added shapes of models.
  std::optional<PlanPlace> place(size_t i) const { return places_.empty() ? std::nullopt : places_[i]; }
  PlanKind kind() const { return kind_; }
  /// Cases of this shard: size(), of a follow-up those of the plan that it follows.
  uint64_t planned() const { return followed_.value_or(size()); }
  /// Cases of all shards together.
  uint64_t total() const { return total_; }
  /// Over the ids of all cases before sharding, in any order (a small plan: in its order): the same for every shard of
  /// one plan.
  uint64_t hash() const { return hash_; }
  /// Cases that the grid names more than once, counted each time but the first; before sharding. They stand in the plan
  /// once.
  uint64_t repeated() const { return repeated_; }
  const Shard& shard() const { return shard_; }
  /// Ops with at least one case, in registry order.
  std::vector<const OpType*> ops() const;

 private:
  friend Plan make_plan(const OpRegistry&, const PlanRequest&);
  friend Plan plan_of(const std::vector<Case>&);
  friend Plan follow_up(const Plan&, const std::vector<Case>&);
  void keep_shard();

  CaseStore store_;
  std::vector<uint32_t> order_;
  std::vector<uint8_t> levels_;
  std::vector<std::optional<PlanPlace>> places_;  // small plans: parallel to order_
  PlanKind kind_ = PlanKind::full;
  std::optional<uint64_t> followed_;
  uint64_t total_ = 0;
  uint64_t hash_ = 0;
  uint64_t repeated_ = 0;
  Shard shard_;
};

/// Cases that make no sense (why_invalid) and repeated ones never enter. The same request gives the same plan on every
/// machine. Throws UsageError for an unknown op, an op without kernels' operands or without such a grid, or a bad
/// shard. The registry must outlive the plan.
Plan make_plan(const OpRegistry& registry, const PlanRequest& request);

/// A plan of exactly these cases in this order, all level 0 (bench, re-runs).
Plan plan_of(const std::vector<Case>& cases);

/// What a small plan's results asked for, as part of it: exactly these cases, without places, under the plan's hash,
/// kind and shard, so that its folder, its status and its tables take them as its own.
Plan follow_up(const Plan& plan, const std::vector<Case>& cases);

}  // namespace perfatlas
