// SPDX-License-Identifier: Apache-2.0
// Which rows of a table aiconfigurator gets.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/schema/measured_state.h"
#include "perfatlas/store/row.h"

namespace perfatlas {

struct AicRowRules {
  CacheState cache_state = CacheState::serving;  // of rows that say in which they were measured
  std::string kernel;                            // empty: the fastest kernel of each key
};

struct AicRows {
  std::vector<Row> rows;
  std::map<std::string, int64_t> left_out;  // reason -> rows
};

/// Kernel name that aiconfigurator looks for first where it keeps kernels apart (TableMerge::by_kernel).
inline constexpr std::string_view kAicDefaultKernel = "default";

/// The rows that aiconfigurator can read, in their order, one for each key: exact fields, axes, distinguishing fields.
/// Of measured rows (those with quality figures) of one key the fastest counts; where aiconfigurator keeps kernels
/// apart, it is filed under kAicDefaultKernel, so that a curve that several kernels win stays one curve. Rows of
/// published tables keep their kernel, which is part of their key where TableMerge::by_kernel says so; the first
/// counts.
AicRows rows_for_aic(const OpType& op, const std::vector<Row>& rows, const AicRowRules& rules);

/// The all_reduce rows of `collective` in 16-bit types as rows of `custom_all_reduce`: aiconfigurator prices the
/// all_reduce of a model from that table, whose element type it does not look at. The other rows are not looked at.
/// REQUIRES: the declarations of collective and custom_all_reduce.
std::vector<Row> all_reduces_of(const OpType& custom_all_reduce, const std::vector<Row>& collective);

}  // namespace perfatlas
