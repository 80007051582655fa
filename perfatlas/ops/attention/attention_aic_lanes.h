// SPDX-License-Identifier: Apache-2.0
// Attention tables hold the rows of several kernels (lanes), and frameworks change which one they use: which lane
// answers.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/surface.h"
#include "perfatlas/aic/table_fields.h"
#include "perfatlas/ops/attention/attention_aic_sol.h"

namespace perfatlas::aic {

enum class AttentionPhase { context, generation };

/// A slice of an attention table apart from its lane.
struct AttentionKey {
  QuantMode fmha = QuantMode::bfloat16;  // context only
  QuantMode kv = QuantMode::bfloat16;
  int64_t n_kv = 0;  // 0: as many as query heads
  int64_t head_size = 0;
  int64_t window = 0;
};

class AttentionTable {
 public:
  AttentionTable(AttentionPhase phase, const Database& database, SharedLayer shared);

  struct Lane {
    std::string name;  // "default" for rows that name no kernel
    int64_t symbol = 0;
    size_t slices = 0, rows = 0;
  };
  /// In order of first appearance.
  const std::vector<Lane>& lanes() const { return lanes_; }

  /// The slice in the first lane of `order` that has it, else in any other lane by first appearance; null when none
  /// has.
  std::shared_ptr<const Surface> find(const AttentionKey& key, const std::vector<std::string>& order) const;
  /// The slice to borrow efficiency from when no lane has the head size: in the first lane (of `order`, then by name)
  /// whose nearest head size (128, else in octaves; the own one, too, where only other windows were measured) also has
  /// the window. Null when there is none.
  std::shared_ptr<const Surface> other_head_size(const AttentionKey& key,
                                                 const std::vector<std::string>& order,
                                                 int64_t& head_size) const;

  std::string why_missing(const AttentionKey& key) const;

 private:
  TableKey table_key(const AttentionKey& key, int64_t lane) const;
  std::shared_ptr<const Surface> surface(const TableKey& table_key, const AttentionKey& key) const;
  std::shared_ptr<const Surface> in_lane(const AttentionKey& key, const std::string& lane) const;

  AttentionPhase phase_;
  const AicSystem& system_;
  std::shared_ptr<const TableRows> rows_;
  TableFields fields_;
  TableIndex index_;
  std::vector<Lane> lanes_;
  Memo<TableKey, Surface, TableKeyHash> surfaces_;
};

/// The lanes to try, in order. Throws nothing; an override that names no lane of the table is unsupported.
struct LaneOrder {
  std::vector<std::string> lanes;
  bool supported = true;  // false: the override is unknown to the back end or has no rows
  std::string why_unsupported;
};

/// `table`: the merged table of the question; `own`: that of the asked version alone. Lanes that the framework uses by
/// default (or that the override names) come first; then those of the asked version, then the others, each by how much
/// they hold. Without any statement about the default the order is just "default".
LaneOrder lane_order(const Binding& binding, const AttentionTable& table, const AttentionTable& own,
                     const std::string& attention_backend);

}  // namespace perfatlas::aic
