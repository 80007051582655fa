// SPDX-License-Identifier: Apache-2.0
// The rows of an op's table split into slices: what an engine is made of.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "perfatlas/hw/system_spec.h"
#include "perfatlas/interp/atlas_slice.h"
#include "perfatlas/interp/slice.h"
#include "perfatlas/store/row.h"
#include "perfatlas/tables/aic_system.h"
#include "perfatlas/tables/table_rows.h"

namespace perfatlas {

/// Rows that agree in the exact fields, in the kernel where kernels are tables of their own (TableMerge::by_kernel),
/// and in the cache state. Of rows at the same place the first counts.
struct OpSlice {
  FieldValues prototype{};                    // of its first row
  std::string kernel;                         // empty unless kernels are told apart
  std::vector<MeasuredPoint> points;          // latencies above 0
  std::vector<uint32_t> rows;                 // of the table, by point
  std::shared_ptr<const SystemSpec> machine;  // null: unknown
  CacheState cache = CacheState::cold;        // what its speed of light is charged by

  SolContext context() const { return {machine.get(), cache}; }
  /// See interp/atlas_op.h.
  SolLaw sol(const OpType& op) const;
};

/// Slices of published rows, in order of their first row. Rows of latency 0 (a measured absence) are left out.
std::vector<OpSlice> slices_of(const TableRows& rows, const AicSystem& system);

/// Slices of placed rows, each cache state its own; rows that do not name one count as cold. `machine` may be null.
std::vector<OpSlice> slices_of(const OpType& op, std::span<const Row> rows,
                               std::shared_ptr<const SystemSpec> machine);

/// "dtype=bfloat16 kv_heads=8": the exact fields.
std::string slice_text(const OpType& op, const OpSlice& slice);

}  // namespace perfatlas
