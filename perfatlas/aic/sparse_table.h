// SPDX-License-Identifier: Apache-2.0
// Tables of whole sparse attention blocks (the columns of the DSA and MSA tables).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/surface.h"
#include "perfatlas/aic/table_fields.h"

namespace perfatlas::aic {

/// Which slice of such a table.
struct SparseKey {
  std::string architecture;
  QuantMode fmha = QuantMode::bfloat16, kv = QuantMode::bfloat16, gemm = QuantMode::bfloat16;
};

/// Kernels that a serving framework can be told to use; rows with a 16-bit cache serve both, as do the dense kernels of
/// short prompts, which no choice governs.
enum class SparseKernels { trtllm, flashmla };

class SparseTable {
 public:
  /// `context`: points over (heads, prefix, isl, batch), else over (heads, batch, s).
  SparseTable(std::string_view op_id, bool context, const Database& database, SharedLayer shared);

  bool empty() const { return index_.empty(); }
  /// The points of the asked kernels, else of the other ones. Of rows at one place that a file repeats the last counts.
  PointList points(const SparseKey& key, SparseKernels wanted) const;
  std::string why_missing(const SparseKey& key) const;

 private:
  TableKey key_of(const SparseKey& key) const;
  bool serves(uint32_t row, QuantMode kv, SparseKernels wanted) const;

  bool context_;
  std::shared_ptr<const TableRows> rows_;
  TableFields fields_;
  TableIndex index_;
};

}  // namespace perfatlas::aic
