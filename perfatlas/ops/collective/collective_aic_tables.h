// SPDX-License-Identifier: Apache-2.0
// The tables of collective operations by group size.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/surface.h"
#include "perfatlas/aic/table_fields.h"

namespace perfatlas::aic {

/// Milliseconds per element of a custom all-reduce of 16-bit elements: every byte crosses a link twice, less the share
/// that stays.
double all_reduce_sol_ms(const AicSystem& system, int64_t gpus);
/// The same of an NCCL operation; 0 for one that is not known.
double nccl_sol_ms(const AicSystem& system, std::string_view operation, QuantMode dtype, int64_t gpus);

/// All-reduce kernels of serving frameworks, curves over elements. Rows of eager launches count only where nothing else
/// was published (b60): steps are launched as graphs. All element types count alike: each is of 16 bits.
class AllReduceTable {
 public:
  AllReduceTable(const Database& database, SharedLayer shared);
  std::shared_ptr<const Surface> find(int64_t gpus) const;
  /// The largest measured group; 0 when there is none.
  int64_t largest_group() const;
  std::string why_missing(int64_t gpus) const;

 private:
  const AicSystem& system_;
  std::shared_ptr<const TableRows> rows_;
  TableFields fields_;
  TableIndex index_;
  Memo<int64_t, Surface> surfaces_;
};

class NcclTable {
 public:
  NcclTable(const Database& database, SharedLayer shared);
  std::shared_ptr<const Surface> find(const std::string& operation, QuantMode dtype, int64_t gpus) const;
  /// The largest measured group of an operation; 0 when there is none.
  int64_t largest_group(const std::string& operation, QuantMode dtype) const;
  std::string why_missing(const std::string& operation, QuantMode dtype, int64_t gpus) const;

 private:
  TableKey key_of(const std::string& operation, QuantMode dtype, int64_t gpus) const;
  const AicSystem& system_;
  std::shared_ptr<const TableRows> rows_;
  TableFields fields_;
  TableIndex index_;
  Memo<TableKey, Surface, TableKeyHash> surfaces_;
};

}  // namespace perfatlas::aic
